"""Schedules by key: numbers that ramp from key to key or follow an expression, and words that hold until the next."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.entries import Entry, Layout, layout, problem_in, stop_if_many
from wan_engine.schedule.expressions import Expression, ExpressionError
from wan_engine.schedule.keys import is_plain_number, without_marks, without_quotes
from wan_engine.schedule.parser import MAX_DEPTH
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings_check import nearest_name

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class _Limits:
    """What a value may be, ends included."""

    minimum: float | None
    maximum: float | None

    def remedy(self, value: float) -> str:
        """What to do about the value, or "" if it may stay."""
        if not math.isfinite(value):
            return "Keep the values smaller"
        low, high = self.minimum, self.maximum
        if (low is None or value >= low) and (high is None or value <= high):
            return ""
        return f"Give {low:g} or more" if high is None else f"Give {'up' if low is None else f'{low:g}'} to {high:g}"


@dataclass(frozen=True)
class NumberSchedule:
    """Numbers by frame.

    A plain number sets its frame, and the values in between lie on a straight line to the next key. An expression is
    computed at every frame up to the next key. The first value holds before its key, a last number behind it.
    notes: what was left out, for the user.
    """

    field: str
    timeline: Timeline
    notes: tuple[str, ...]
    _frames: Sequence[int]
    _entries: Sequence[Entry]
    _points: Sequence[float | Expression]
    _limits: _Limits

    @staticmethod
    def parse(
        text: str, timeline: Timeline, field: str, minimum: float | None = None, maximum: float | None = None
    ) -> NumberSchedule:
        """Read a schedule such as `0: (5), 40: (7*sin(t/10))`, or one value or expression for the whole film.

        minimum and maximum, both allowed values, are checked where a value is asked. Raises InputError with everything
        that cannot be read.
        """
        plan = layout(text, timeline, field)
        points = _read(plan, field, _point)
        return NumberSchedule(field, timeline, plan.notes, plan.frames, plan.entries, points, _Limits(minimum, maximum))

    def at(self, frame: int) -> float:
        """The value at a film frame. Raises InputError if it has none there or lies outside its limits."""
        index = max(bisect_right(self._frames, frame) - 1, 0)
        frame_of_value = max(frame, self._frames[0])
        value = self._point_at(index, frame_of_value)
        if isinstance(self._points[index], float) and index + 1 < len(self._frames):
            first, last = self._frames[index], self._frames[index + 1]
            if frame_of_value > first:
                value += (self._point_at(index + 1, last) - value) / (last - first) * (frame_of_value - first)
        remedy = self._limits.remedy(value)
        if remedy:
            entry = self._entries[index]
            message = f"its value at frame {frame} is {value:g}, which is out of range"
            raise InputError(Problem(message, remedy, self.field, entry.key, entry.value_at + 1))
        return value

    def values(self) -> list[float]:
        """The value at every frame of the film. Raises InputError as `check` does."""
        return self._all(range(self.timeline.frames))

    def check(self, frames: Iterable[int]) -> None:
        """Compute the values at these frames. Raises InputError with the first problem of each key."""
        self._all(frames)

    def _all(self, frames: Iterable[int]) -> list[float]:
        values: list[float] = []
        found: dict[int | None, Problem] = {}
        for frame in frames:
            try:
                values.append(self.at(frame))
            except InputError as error:
                for problem in error.problems:
                    found.setdefault(problem.column, problem)
        if found:
            raise InputError(found.values())
        return values

    def _point_at(self, index: int, frame: int) -> float:
        point = self._points[index]
        if isinstance(point, float):
            return point
        try:
            return float(point.value(t=frame, s=self.timeline.seed, max_f=self.timeline.max_f))
        except ExpressionError as error:
            entry = self._entries[index]
            problem = problem_in(entry, self.field, error, entry.value_at)
            raise InputError(replace(problem, message=f"at frame {frame}: {error.message}")) from error


@dataclass(frozen=True)
class WordSchedule:
    """Words by frame: each holds until the next key, and the first one before its key as well."""

    field: str
    notes: tuple[str, ...]
    _frames: Sequence[int]
    _words: Sequence[str]

    @staticmethod
    def parse(text: str, timeline: Timeline, field: str, choices: Sequence[str] = ()) -> WordSchedule:
        """Read a schedule such as `0: ("unipc"), 40: ("euler")`, or one word for the whole film.

        choices: the words there are, found whatever their case; () allows any. Raises InputError with every problem.
        """

        def word(entry: Entry) -> str:
            return _word(entry.value, choices)

        plan = layout(text, timeline, field)
        return WordSchedule(field, plan.notes, plan.frames, _read(plan, field, word))

    def at(self, frame: int) -> str:
        """The word at a film frame."""
        return self._words[max(bisect_right(self._frames, frame) - 1, 0)]


def _read(plan: Layout, field: str, reader: Callable[[Entry], _Value]) -> list[_Value]:
    """The value of each entry. Raises InputError with every problem of the schedule, in the order of the text."""
    values, problems = [], ProblemList()
    for problem in plan.problems:
        problems.add(problem)
    for entry in plan.entries:
        try:
            values.append(reader(entry))
        except ExpressionError as error:
            problems.add(problem_in(entry, field, error, entry.value_at))
            stop_if_many(problems, field)
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.column or 0))
    return values


def _point(entry: Entry) -> float | Expression:
    plain = without_marks(entry.value.strip())
    # Deforum drops brackets, but a thousand of them are no number that anybody meant: let the parser refuse them.
    if is_plain_number(plain) and entry.value.count("(") <= MAX_DEPTH:
        return float(plain)
    return Expression.parse(without_quotes(entry.value), ("t", "s", "max_f"))


def _word(value: str, choices: Sequence[str]) -> str:
    word = without_marks(value).strip()
    column = len(value) - len(value.lstrip()) + 1
    if not word:
        raise ExpressionError("the value is empty", "Write a word", column)
    match = next((choice for choice in choices if choice.casefold() == word.casefold()), "")
    if choices and not match:
        raise ExpressionError(
            f'"{word[:40]}" is not one of its values', nearest_name(word[:40], tuple(choices)), column
        )
    return match or word
