"""Reads what a verb works on: a project file or standard input, with the flags put over it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.cli.flags import Flags
from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.settings import Settings
from wan_engine.settings_check import settings_from_mapping

if TYPE_CHECKING:
    from wan_engine.schedule.project import Project

STDIN = "-"
STDIN_NAME = "standard input"

FLAGS_PLACE = "command line"
"""Stands where a file's name stands in a problem, for problems of flags."""


def read_project(file: str, flags: Flags, movement: bool = False) -> Project:
    """The project in `file` (`-`: standard input), with the flags winning over it.

    movement: turn the camera movement of a Deforum file into words of its prompts.
    Raises InputError with the problems of the file and of the flags together.
    """
    problems = ProblemList()
    project: Project | None = None
    given = Settings()
    try:
        project = _load(file, movement)
    except InputError as error:
        problems.extend(error)
    try:
        given = settings_from_mapping(flags, file=FLAGS_PLACE)
    except InputError as error:
        problems.extend(error)
    if project is None or problems:
        raise InputError(problems)
    values = {name: getattr(given, name) for name in flags}
    return replace(project, settings=replace(project.settings, **values))


def _load(file: str, movement: bool) -> Project:
    from wan_engine.schedule.project import load_project, project_from_text
    from wan_engine.schedule.text_file import MAX_BYTES, decode_text

    if file != STDIN:
        return load_project(Path(file), movement)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        message = f"it has more than {MAX_BYTES // 2**20} MiB"
        raise InputError(Problem(message, "Is it really a schedule?", file=STDIN_NAME))
    return project_from_text(decode_text(data, STDIN_NAME), STDIN_NAME, Path.cwd(), movement)


@contextmanager
def problems_placed(project: Project, flags: Flags) -> Iterator[None]:
    """Problems that are found inside name where their setting comes from: the file or the command line."""
    try:
        yield
    except InputError as error:
        raise InputError(_placed(problem, project, flags) for problem in error.problems) from error


def _placed(problem: Problem, project: Project, flags: Flags) -> Problem:
    return replace(problem, file=problem.file or (FLAGS_PLACE if problem.field in flags else project.file))
