"""Sets of settings that a user keeps under a name: one JSON file each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.project import settings_from_values
from wan_engine.storage.atomic import storage_error, write_json

NAME_PATTERN = r"^[A-Za-z0-9 _-][A-Za-z0-9 _.-]{0,63}$"
"""Names of presets: they are the names of files too."""

_NAME = re.compile(NAME_PATTERN[1:-1])


class Presets:
    """The presets in a folder. Raises StorageError when the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """The names, sorted."""
        found = (path.stem for path in self._folder.glob("*.json"))
        return sorted(name for name in found if _NAME.fullmatch(name))

    def get(self, name: str) -> dict[str, Any] | None:
        """The settings of a preset, as they were put; None if there is none. Raises InputError for a damaged file."""
        path = self._file(name)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(path, error, "read") from error
        except ValueError as error:
            raise InputError(Problem(f"the preset is damaged: {error}", "Save it again", file=str(path))) from error
        if not isinstance(values, dict):
            raise InputError(Problem("the preset is damaged: it is no object", "Save it again", file=str(path)))
        return values

    def put(self, name: str, values: Mapping[str, Any]) -> None:
        """Keep settings, which may be a few of all. Raises InputError with everything that is wrong with them."""
        settings_from_values(values)
        path = self._file(name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(self._folder, error, "make the folder") from error
        write_json(path, dict(values))

    def delete(self, name: str) -> bool:
        """Remove a preset. False: there is none."""
        path = self._file(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise storage_error(path, error, "remove") from error
        return True

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            remedy = "Use 1 to 64 letters, digits, blanks and _ . -, without a dot at the beginning"
            raise InputError(Problem(f'"{name[:80]}" cannot be the name of a preset', remedy, field="name"))
        return self._folder / f"{name}.json"
