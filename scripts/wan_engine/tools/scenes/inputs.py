"""Finds the films that a user names: files, folders of films, and patterns such as `films/*.mkv`."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from wan_engine.errors import InputError, Problem, ProblemList

ENDINGS = frozenset(
    ".3gp .asf .avi .flv .gif .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .vob .webm .wmv".split()  # noqa: SIM905
)
"""Of the films that are taken from a folder; a file that is named is looked into whatever its ending."""


def find_films(named: Iterable[str]) -> tuple[Path, ...]:
    """The films, each once, those of a folder or pattern in order of their names.

    Raises InputError with everything that leads to no film.
    """
    problems = ProblemList()
    found: dict[Path, None] = {}
    for name in named:
        films = _films_of(name)
        if not films:
            remedy = "Give a film, a folder with films, or a pattern such as films/*.mkv"
            problems.add(Problem(f'"{name}" leads to no film', remedy, field="films"))
        found.update(dict.fromkeys(films))
    if not found and not problems:
        problems.add(Problem("no film is given", "Give a film or a folder with films", field="films"))
    problems.raise_if_any()
    return tuple(found)


def _films_of(name: str) -> list[Path]:
    path = Path(name).expanduser()
    try:
        if path.is_file():
            return [path.absolute()]
        if path.is_dir():
            return sorted(each.absolute() for each in path.iterdir() if _is_film(each))
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no whole paths
        return sorted(Path(each).absolute() for each in matches if _is_film(Path(each)))
    except (OSError, ValueError) as error:  # ValueError: a NUL character
        problem = Problem(f'"{name}" cannot be looked into: {error}', "Correct the path", field="films")
        raise InputError(problem) from error


def _is_film(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and path.is_file()
