"""Names what a split writes: the series of a film, and the names of its scenes' files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from wan_engine.errors import InputError, Problem
from wan_engine.storage.names import fill_name
from wan_engine.tools.scenes.scene_list import list_path, read_list

_SERIES_PART = 3
"""Which part of a film's name, between underscores, is its series: the fourth."""
_DIGITS = 3
_FIELDS = ("series", "scene", "film", "start", "end")
_FIELD = re.compile(r"\{(\w*)\}")
_MOST_BYTES = 120
"""Of a series or a film's name in other names, which must stay short enough for every file system."""


def series_of(film: Path) -> str:
    """The 4th part of the name between underscores, else the whole name, as a plain part of a file name."""
    parts = film.stem.split("_")
    return fill_name((parts[_SERIES_PART] if len(parts) > _SERIES_PART else "") or film.stem, {}, _MOST_BYTES)


def free_series(film: Path, folder: Path) -> str:
    """The film's series; with -2, -3 ... behind it if the folder holds another film's scenes under that name.

    Raises StorageError when a list in the folder cannot be read.
    """
    wanted, number = series_of(film), 1
    while True:
        series = wanted if number == 1 else f"{wanted}-{number}"
        there = read_list(list_path(folder, series, ".json"))
        if there is None or there.film == str(film):
            return series
        number += 1


def check_pattern(pattern: str) -> None:
    """Raise InputError unless every scene of every film gets a name of its own."""
    unknown = [name for name in _FIELD.findall(pattern) if name not in _FIELDS]
    known = ", ".join(f"{{{name}}}" for name in _FIELDS)
    if unknown:
        message = f"{{{unknown[0]}}} is not filled in"
        raise InputError(Problem(message, f"Use {known}", field="name_pattern"))
    if not {"scene", "start"} & set(_FIELD.findall(pattern)):
        message = "all scenes would get the same name"
        raise InputError(Problem(message, "Put {scene} into the pattern", field="name_pattern"))
    if not {"series", "film"} & set(_FIELD.findall(pattern)):
        message = "the scenes of all films would get the same names"
        raise InputError(Problem(message, "Put {series} or {film} into the pattern", field="name_pattern"))


def scene_names(pattern: str, film: Path, series: str, spans: Sequence[tuple[int, int]], ending: str) -> list[str]:
    """The scenes' file names. `{film}` is the series where the series had to be changed, so that names stay apart."""
    named_alike = series != series_of(film) or len(os.fsencode(film.stem)) > _MOST_BYTES
    digits = max(_DIGITS, len(str(len(spans))))
    names = []
    for number, (start, end) in enumerate(spans):
        values = {"series": series, "scene": f"{number:0{digits}d}", "start": str(start), "end": str(end)}
        values["film"] = series if named_alike else film.stem
        filled = _FIELD.sub(lambda found, values=values: values[found[1]], pattern)  # type: ignore[misc]
        names.append(fill_name(filled, {}) + ending)
    return names
