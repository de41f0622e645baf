"""The LoRAs of a film as users name them: lines of the setting `loras`, tags `<lora:name:weight>` in prompts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.entries import stop_if_many
from wan_engine.schedule.expressions import Expression, ExpressionError
from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.timeline import Timeline

FIELD = "loras"
EXPERTS = ("high", "low", "both")
"""The experts of Wan 2.2: that for high noise, that for low noise, or both."""
LARGEST_WEIGHT = 10.0
"""Weights lie between this and its negative."""

TAG = r"<(?i:lora):[^<>`]*(?:`[^`]*`[^<>`]*)*>"
"""Pattern of a tag; math in backticks may hold `<` and `>`."""
TAG_START = r"<(?i:lora):"

_HOW = "Write <lora:name:0.8>, or <lora:name:0.8:high> for one expert"
_HOW_LINE = 'Write "name: 0.8", "name: 0: (0), 40: (1)", or "name: 0.8 high" for one expert'
_PREFIX_LENGTH = len("<lora:")
_MATH_HERE = "\0"
"""Stands for the math of a tag while it is divided; user texts hold no NUL character."""
_NUMBER = re.compile(r"[-+]?([0-9]{1,15}\.?[0-9]{0,15}|\.[0-9]{1,15})")
_EXPERT_AT_END = re.compile(rf"(?:^|[\s,])({'|'.join(EXPERTS)})\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class LoraWeight:
    """A LoRA with its weight at one frame.

    expert: high, low or both, "" where the user did not say.  place: a problem without words that says where it stands.
    """

    name: str
    weight: float
    expert: str
    place: Problem

    def problem(self, message: str, remedy: str) -> Problem:
        """A problem of this LoRA, with its place."""
        return replace(self.place, message=message, remedy=remedy)


@dataclass(frozen=True)
class LoraTag:
    """A tag of a prompt; `weight` is a number or math."""

    name: str
    weight: float | Expression
    expert: str
    place: Problem
    math_at: int = 0

    def at(self, timeline: Timeline, frame: int) -> LoraWeight:
        """The tag at a film frame. Raises InputError where its math has no value, or one out of range."""
        if isinstance(self.weight, float):
            return LoraWeight(self.name, self.weight, self.expert, self.place)
        try:
            value = float(self.weight.value(t=frame, s=timeline.seed, max_f=timeline.max_f))
        except ExpressionError as error:
            column = (self.place.column or 1) + self.math_at + error.column - 1
            message = f"{error.message} at frame {frame}"
            raise InputError(replace(self.place, message=message, remedy=error.remedy, column=column)) from error
        _check_range(value, self.place)
        return LoraWeight(self.name, value, self.expert, self.place)


def _check_range(weight: float, place: Problem) -> None:
    if not -LARGEST_WEIGHT <= weight <= LARGEST_WEIGHT:
        remedy = f"Give {-LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}"
        raise InputError(replace(place, message=f"the LoRA's weight {weight:g} is out of range", remedy=remedy))


def read_tag(text: str, place: Problem) -> LoraTag:
    """The tag `text`, with its angle brackets; `place` is where it begins. Raises InputError."""
    math = re.search(r"`([^`]*)`", text)
    # Math may hold colons and angle brackets: it is cut out before the tag is divided.
    plain = text if math is None else text[: math.start()] + _MATH_HERE + text[math.end() :]
    name, weight, expert, *more = [*(part.strip() for part in plain[_PREFIX_LENGTH:-1].split(":")), "", ""]
    if not name or _MATH_HERE in name or any(more):
        message = "the LoRA tag has more than name, weight and expert" if any(more) else "the LoRA tag has no name"
        raise InputError(replace(place, message=message, remedy=_HOW))
    if expert and expert.lower() not in EXPERTS:
        message = f'"{expert[:40]}" is no expert, and a Wan LoRA has one weight'
        raise InputError(replace(place, message=message, remedy=_HOW))
    if math is not None and weight == _MATH_HERE:
        expression = _expression(math[1], math.start(1), place)
        return LoraTag(name, expression, expert.lower(), place, math.start(1))
    if weight and not _NUMBER.fullmatch(weight):
        shown = weight.replace(_MATH_HERE, "`...`")[:40]
        raise InputError(replace(place, message=f'"{shown}" is no weight of a LoRA', remedy=_HOW))
    number = float(weight or 1)
    _check_range(number, place)
    return LoraTag(name, number, expert.lower(), place)


def _expression(text: str, offset: int, place: Problem) -> Expression:
    try:
        return Expression.parse(text, ("t", "s", "max_f"))
    except ExpressionError as error:
        column = (place.column or 1) + offset + error.column - 1
        raise InputError(replace(place, message=error.message, remedy=error.remedy, column=column)) from error


@dataclass(frozen=True)
class LoraSchedule:
    """A line of the setting: a LoRA and its weights by frame.

    value_at: characters of the line in front of the weights.
    """

    name: str
    expert: str
    place: Problem
    value_at: int
    _weights: NumberSchedule

    def at(self, frame: int) -> LoraWeight:
        """The LoRA at a film frame. Raises InputError when its weight there is out of range."""
        try:
            return LoraWeight(self.name, self._weights.at(frame), self.expert, self.place)
        except InputError as error:
            raise _in_line(error, self.place, self.value_at) from error

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of its weights."""
        return tuple(note.replace(f"{FIELD}:", f'{FIELD}, "{self.name}":', 1) for note in self._weights.notes)


def read_loras(text: str, timeline: Timeline) -> tuple[LoraSchedule, ...]:
    """The lines of the setting, such as `detail: 0.8` or `motion: 0: (0), 40: (1) high`; # begins a comment line.

    Raises InputError with every problem, each with its line and column.
    """
    problems, found = ProblemList(), []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found.append(_line(line, timeline, number))
        except InputError as error:
            problems.extend(error)
            stop_if_many(problems, FIELD)
    problems.raise_if_any()
    return tuple(found)


def _line(line: str, timeline: Timeline, number: int) -> LoraSchedule:
    name, colon, value = line.partition(":")
    place = Problem("", field=FIELD, key=name.strip()[:80], line=number, column=len(name) - len(name.lstrip()) + 1)
    if not name.strip():
        raise InputError(replace(place, message="the line names no LoRA", remedy=_HOW_LINE))
    expert = ""
    if found := _EXPERT_AT_END.search(value):
        expert, value = found[1].lower(), value[: found.start()]
    value_at = len(name) + len(colon)
    try:
        weights = NumberSchedule.parse(
            value if value.strip() else "1", timeline, FIELD, -LARGEST_WEIGHT, LARGEST_WEIGHT
        )
    except InputError as error:
        raise _in_line(error, place, value_at) from error
    return LoraSchedule(name.strip(), expert, place, value_at, weights)


def _in_line(error: InputError, place: Problem, value_at: int) -> InputError:
    """The problems of a line's weights, placed in the whole setting."""
    return InputError(
        replace(problem, key=place.key, line=place.line, column=value_at + (problem.column or 1))
        for problem in error.problems
    )
