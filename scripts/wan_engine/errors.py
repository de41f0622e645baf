"""The exceptions the engine raises for its users, and the problems they carry.

    WanError                    everything the engine says to a user
    |-- InputError              what was given is wrong; holds every Problem found   exit code 2
    |-- CapabilityError         the chosen models cannot do what the plan asks       exit code 3
    |-- ModelError              a model is missing, damaged or cannot be loaded      exit code 3
    |-- MediaError              a picture, film or sound cannot be read or written   exit code 4
    |-- StorageError            a disk or folder problem, a path outside its root    exit code 4
    |-- RenderError             the backend failed while it rendered                 exit code 5
    |   `-- OutOfMemoryError    the device ran out of memory
    `-- Cancelled               the user stopped the work; what is finished is kept  exit code 130

Each error says what is wrong and, as `remedy`, what to do about it. Nothing here knows about
terminals or HTTP: `exit_code` is only a number that the command line hands on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the user's input, with its place and the way out.

    field: the setting's name (`prompts`, `guidance_scale`).  key: the key inside it (`30`, `max_f/2`).
    column and line: 1-based. A column counts characters of the line, if `line` is given, else of what `part` says.
    part: in a setting that is an object, `key` or `text` (the value of `key`); "" is the setting's whole value.
    """

    message: str
    remedy: str = ""
    field: str = ""
    key: str = ""
    column: int | None = None
    line: int | None = None
    file: str = ""
    part: str = ""

    def place(self) -> str:
        """Where it is, in words: `film.json, prompts, key "30", column 7`."""
        parts = [self.file, self.field]
        if self.key:
            parts.append(f'key "{self.key}"')
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        place = self.place()
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}. {self.remedy}" if self.remedy else text

    def as_dict(self) -> dict[str, Any]:
        """The problem as JSON-able values, for `--json` and for problem+json answers."""
        return asdict(self)


class WanError(Exception):
    """Base of all errors that are meant to be read by a user."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}. {remedy}" if remedy else message)

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-able values."""
        return {"error": type(self).__name__, "message": self.message, "remedy": self.remedy}


class InputError(WanError):
    """What the user gave is wrong. All problems of a file or call come together in `problems`."""

    exit_code = 2

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not self.problems:
            raise ValueError("an InputError needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        """How it passes to another process: by its problems, not by its words."""
        return type(self), (self.problems,)

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "problems": [problem.as_dict() for problem in self.problems]}


class CapabilityError(WanError):
    """The chosen models cannot do what the plan asks; the remedy says what they can do instead."""

    exit_code = 3


class ModelError(WanError):
    """A model is missing, damaged or cannot be loaded."""

    exit_code = 3


class MediaError(WanError):
    """A picture, film or sound cannot be read or written."""

    exit_code = 4


class StorageError(WanError):
    """A disk or folder problem, or a path outside the folders the engine may use."""

    exit_code = 4


class RenderError(WanError):
    """The backend failed while it rendered; finished clips are kept."""

    exit_code = 5


class OutOfMemoryError(RenderError):
    """The device ran out of memory."""


class Cancelled(WanError):
    """The user stopped the work. What is finished is kept and can be resumed."""

    exit_code = 130


class ProblemList:
    """Collects problems so that a user reads all of them at once."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Note one problem."""
        self._problems.append(problem)

    def extend(self, error: InputError) -> None:
        """Note every problem of an error that was raised further down."""
        self._problems.extend(error.problems)

    def __bool__(self) -> bool:
        return bool(self._problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def raise_if_any(self) -> None:
        """Raise one InputError with everything noted; do nothing when the list is empty."""
        if self._problems:
            raise InputError(self._problems)
