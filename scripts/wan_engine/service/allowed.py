"""Keeps the paths that the API is given inside the folders it may use, after links are followed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.deforum import is_address
from wan_engine.setting_spec import is_model_name, path_lines
from wan_engine.settings import SETTINGS, SettingSpec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnySettings = TypeVar("AnySettings", bound="DataclassInstance")

_SHOWN = 200


class OutsideError(InputError):
    """A path leads out of the folders that the engine may use."""


@dataclass(frozen=True)
class Roots:
    """The folders whose files may be named.

    private: a folder that stays closed although it may lie in one of them (a WebUI keeps the engine's state, with token
    and database, among its models); only a root inside it, such as the uploads, is open.
    """

    folders: tuple[Path, ...]
    private: Path | None = None

    def hold(self, found: Path) -> bool:
        """Whether a path, its links followed, may be named."""
        roots = [root for root in (folder.resolve() for folder in self.folders) if found.is_relative_to(root)]
        if self.private is None or not found.is_relative_to(private := self.private.resolve()):
            return bool(roots)
        return any(root != private and root.is_relative_to(private) for root in roots)


def inside_roots(path: str, roots: Roots, field: str = "path", key: str = "") -> Path:
    """The path with all links followed, checked to lie in `roots`, which are followed too.

    field, key: where the path stands, for the error. Nothing has to be there. Raises OutsideError, and InputError for
    what is no path at all: a web address, a NUL character.
    """
    if "\x00" in path:
        raise InputError(Problem("the path holds a NUL character", "Remove it", field, key))
    if is_address(path):
        message = f'"{path[:_SHOWN]}" is an address'
        raise InputError(Problem(message, "Download it and give the file's path", field, key))
    try:
        named = Path(path).expanduser()
        if not named.is_absolute():
            raise OutsideError(Problem(f'"{path[:_SHOWN]}" is no whole path', _remedy(roots), field, key))
        found = named.resolve()
        inside = roots.hold(found)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links, an unknown user after ~
        message = f'"{path[:_SHOWN]}" cannot be used as a path ({getattr(error, "strerror", None) or error})'
        raise InputError(Problem(message, "Give the path of a file that is there", field, key)) from error
    if not inside:
        message = f'"{path[:_SHOWN]}" lies outside the folders that the engine may use'
        raise OutsideError(Problem(message, _remedy(roots), field, key))
    return found


def _remedy(roots: Roots) -> str:
    folders = ", ".join(str(folder) for folder in roots.folders)
    return f"Give a path in one of these: {folders}; or start the engine with --allow and the folder"


def settings_inside(settings: AnySettings, roots: Roots, table: Mapping[str, SettingSpec] = SETTINGS) -> AnySettings:
    """The settings of a table with every path followed, checked to lie inside `roots`; empty ones stay.

    Raises OutsideError with all paths that lie outside, or InputError with all that are no paths.
    """
    changed: dict[str, Any] = {}
    errors: list[InputError] = []
    for name, key, path in _paths(settings, table):
        try:
            found = str(inside_roots(path, roots, name, key))
        except InputError as error:
            errors.append(error)
            continue
        kind = table[name].kind
        if key:
            changed.setdefault(name, dict(getattr(settings, name)))[key] = found
        elif kind == "model":
            # As it was named: in the Hugging Face cache a link's name and neighbours tell what its target does not.
            changed[name] = str(Path(path).expanduser())
        elif kind == "paths":
            changed[name] = f"{changed[name]}\n{found}" if name in changed else found
        else:
            changed[name] = found
    if errors:
        outside = [error for error in errors if isinstance(error, OutsideError)]
        refused = OutsideError if outside else InputError
        raise refused(problem for error in outside or errors for problem in error.problems)
    return replace(settings, **changed)


def _paths(settings: Any, table: Mapping[str, SettingSpec]) -> Iterator[tuple[str, str, str]]:
    """Setting, key and path of each path that is given."""
    for name, spec in table.items():
        value = getattr(settings, name)
        if spec.kind == "images":
            yield from ((name, key, path) for key, path in value.items() if path)
        elif spec.kind == "paths":
            yield from ((name, "", path) for path in path_lines(value))
        elif _names_a_path(spec, value):
            yield name, "", value


def _names_a_path(spec: SettingSpec, value: Any) -> bool:
    if spec.kind == "model" and is_model_name(value, Path.cwd()):
        return False
    return spec.kind in ("path", "model") and bool(value.strip())


def check_output_folder(folder: Path) -> None:
    """Raise InputError unless films can be put into `folder`, which need not be there yet."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return
    message = f"{place} is a file, not a folder" if not place.is_dir() else f"{place} cannot be written to"
    raise InputError(Problem(message, "Choose another folder", field="output_dir"))
