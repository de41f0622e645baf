"""Tells what of an entry is here, from a note that a finished download leaves beside its files.

The note holds each file's checksum, size and time of change: a file that has not changed since is known to be right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wan_engine.models.downloads.hub import HubFile, Listing
from wan_engine.models.downloads.table import Entry
from wan_engine.storage.atomic import storage_error, write_json

NOTE = ".wan-download.json"
"""The note's name in an entry's folder."""
STAGING = ".wan-downloads"
"""Folder below the folder of models in which downloads are under way, each in a folder of its name."""

Presence = Literal["there", "part", "absent"]


@dataclass(frozen=True)
class Places:
    """Where an entry goes. root: the folder of models."""

    root: Path
    entry: Entry

    @property
    def folder(self) -> Path:
        """The entry's own folder."""
        return self.root / self.entry.place

    @property
    def staging(self) -> Path:
        """What is under way."""
        return self.root / STAGING / self.entry.name


def presence(places: Places) -> Presence:
    """Whether all of it is here, some of it or something unchecked, or nothing. Raises StorageError."""
    try:
        noted = _read(places.folder)
        if noted and all(_unchanged(places.folder / name, each) for name, each in noted.items()):
            return "there"
        begun = any(path.exists() and any(path.iterdir()) for path in (places.folder, places.staging))
    except OSError as error:
        raise storage_error(places.folder, error, "read") from error
    return "part" if begun else "absent"


def known(folder: Path, file: HubFile) -> bool:
    """Whether the note says that this very file is here. Raises OSError."""
    noted = _read(folder).get(file.target.as_posix())
    return bool(noted and noted.get("identity") == file.identity and _unchanged(folder / file.target, noted))


def write_note(folder: Path, listing: Listing) -> None:
    """Leave the note that everything is here. Raises StorageError, OSError."""
    files = {
        file.target.as_posix(): {"identity": file.identity, **_facts(folder / file.target)} for file in listing.files
    }
    values = {"name": listing.entry.name, "repository": listing.entry.repository, "commit": listing.commit}
    write_json(folder / NOTE, {**values, "licence": listing.entry.licence, "files": files})


def _facts(path: Path) -> dict[str, int]:
    seen = path.stat()
    return {"size": seen.st_size, "changed": seen.st_mtime_ns}


def _unchanged(path: Path, noted: Mapping[str, Any]) -> bool:
    return path.is_file() and all(noted.get(name) == value for name, value in _facts(path).items())


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of the note by name; none if there is no note or it is damaged."""
    try:
        files = json.loads((folder / NOTE).read_text(encoding="utf-8"))["files"]
        return {str(name): dict(each) for name, each in files.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # what it said is not known: the files are looked at again
