"""One prompt as the user wrote it: plain text, math in backticks, and the `--neg` that starts its negative part."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.expressions import Expression, ExpressionError
from wan_engine.schedule.loras import TAG, TAG_START, LoraTag, read_tag
from wan_engine.schedule.timeline import Timeline

NEGATIVE = "--neg"
"""Starts the negative part of a prompt."""

VARIABLES = ("t", "s", "max_f")

_PARTS = re.compile(rf"{TAG}|{TAG_START}|`[^`]*`|`|--neg")
_PLAIN_NUMBER = re.compile(r"\s*[-+]?([0-9]{1,15}\.?[0-9]{0,15}|\.[0-9]{1,15})\s*")


@dataclass(frozen=True)
class Origin:
    """Where a text comes from, for errors: the setting and the key inside it."""

    field: str
    key: str = ""

    def words(self) -> str:
        """The same for notes."""
        return f'{self.field}, key "{self.key}"' if self.key else self.field

    def problem(self, message: str, remedy: str, column: int) -> Problem:
        """A problem at a column of the text, counted from 1."""
        return Problem(message, remedy, self.field, self.key, column, part="text" if self.key else "")


@dataclass(frozen=True)
class _Math:
    """An expression between backticks; column: 1-based place of its first character in the text."""

    expression: Expression
    column: int
    origin: Origin

    def at(self, timeline: Timeline, frame: int) -> str:
        """Its number at a frame: whole numbers without a point, others as Python writes them."""
        try:
            value = self.expression.value(t=frame, s=timeline.seed, max_f=timeline.max_f)
        except ExpressionError as error:
            raise InputError(_problem(error, self.column, self.origin, f" at frame {frame}")) from error
        return str(value)


def _problem(error: ExpressionError, column: int, origin: Origin, when: str = "") -> Problem:
    column += error.column - 1
    return origin.problem(f"{error.message}{when}", error.remedy, column)


@dataclass(frozen=True)
class Template:
    """Text with math in it."""

    pieces: tuple[str | _Math, ...] = ()

    def at(self, timeline: Timeline, frame: int) -> str:
        """The text at a film frame, every expression replaced by its number. Raises InputError."""
        return "".join(piece if isinstance(piece, str) else piece.at(timeline, frame) for piece in self.pieces)


@dataclass(frozen=True)
class PromptText:
    """A prompt cut at `--neg`.

    positive, negative: what stands before and behind it, blanks kept.  notes: what the user should know.
    loras: the tags `<lora:name:weight>` that were in it, in order.
    """

    positive: Template
    negative: Template
    notes: tuple[str, ...] = ()
    loras: tuple[LoraTag, ...] = ()


class _Reader:
    """Cuts one text into pieces and keeps what is wrong with it."""

    def __init__(self, text: str, origin: Origin) -> None:
        self._text = text
        self._origin = origin
        self.problems = ProblemList()
        self.notes: list[str] = []
        self.parts: list[list[str | _Math]] = [[]]
        self.cuts: list[int] = []
        self.loras: list[LoraTag] = []

    def read(self) -> None:
        """Fill `parts`, one for each stretch between `--neg`, and `cuts`, where each `--neg` stands (from 0)."""
        position = 0
        for found in _PARTS.finditer(self._text):
            self._add(self._text[position : found.start()])
            position = found.end()
            if found[0] == NEGATIVE:
                self.cuts.append(found.start())
                self.parts.append([])
            elif found[0] == "`":
                self.refuse("the backtick is not closed", "Close the math with a second `", found.start())
            elif found[0][0] == "<":
                self._tag(found[0], found.start())
                position += self._blank_between(found.start(), found.end())
            else:
                self._add(self._math(found[0][1:-1], found.start() + 2))
        self._add(self._text[position:])

    def _add(self, piece: str | _Math | None) -> None:
        if piece:
            self.parts[-1].append(piece)

    def refuse(self, message: str, remedy: str, position: int) -> None:
        """Note a problem at a place of the text, counted from 0."""
        self.problems.add(self._origin.problem(message, remedy, position + 1))

    def _tag(self, text: str, position: int) -> None:
        if not text.endswith(">"):
            self.refuse("the LoRA tag is not closed", "Close it: <lora:name:0.8>", position)
            return
        if self.cuts:
            self.refuse_tag_in_negative(position)
        try:
            self.loras.append(read_tag(text, self._origin.problem("", "", position + 1)))
        except InputError as error:
            self.problems.extend(error)

    def refuse_tag_in_negative(self, position: int) -> None:
        """Note that the tag at this place does nothing."""
        self.refuse("a LoRA tag has no effect on a negative prompt", f"Put it in front of {NEGATIVE}", position)

    def _blank_between(self, start: int, end: int) -> int:
        """1 where a tag that is taken out would leave two blanks, else 0."""
        before, behind = self._text[:start], self._text[end:]
        return int(behind[:1] == " " and (not before or before[-1] == " "))

    def _math(self, text: str, column: int) -> str | _Math | None:
        if not text.strip():
            self.notes.append(f"{self._origin.words()}: the backticks at column {column - 1} hold no math; 1 is used")
            return "1"
        if _PLAIN_NUMBER.fullmatch(text):
            return str(float(text))  # as Deforum has it: `1` is the weight 1.0
        try:
            return _Math(Expression.parse(text, VARIABLES), column, self._origin)
        except ExpressionError as error:
            self.problems.add(_problem(error, column, self._origin))
            return None


def read_prompt(text: str, origin: Origin) -> PromptText:
    """A keyed prompt. Raises InputError for bad math and for a second `--neg`."""
    reader = _Reader(text, origin)
    reader.read()
    if len(reader.cuts) > 1:
        message = f"{NEGATIVE} stands {len(reader.cuts)} times in one prompt"
        reader.refuse(message, "Leave one; everything behind it is the negative part", reader.cuts[1])
    reader.problems.raise_if_any()
    positive, negative = (Template(tuple(part)) for part in [*reader.parts, []][:2])
    return PromptText(positive, negative, tuple(reader.notes), tuple(reader.loras))


def read_positive_box(text: str, origin: Origin) -> PromptText:
    """The text put before every prompt. Raises InputError for bad math and for `--neg`."""
    reader = _Reader(text, origin)
    reader.read()
    if reader.cuts:
        message = f"{NEGATIVE} stands in the text that is put before every prompt"
        reader.refuse(message, "Move what follows it to the negative prompt", reader.cuts[0])
    reader.problems.raise_if_any()
    return PromptText(Template(tuple(reader.parts[0])), Template(), tuple(reader.notes), tuple(reader.loras))


def read_negative_box(text: str, origin: Origin) -> PromptText:
    """The text added to every prompt's negative part; each `--neg` in it is left out. Raises InputError."""
    reader = _Reader(text, origin)
    reader.read()
    for tag in reader.loras:
        reader.refuse_tag_in_negative((tag.place.column or 1) - 1)
    reader.problems.raise_if_any()
    return PromptText(
        Template(), Template(tuple(piece for part in reader.parts for piece in part)), tuple(reader.notes)
    )
