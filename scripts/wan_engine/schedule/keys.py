"""Turns a key as a user writes it (`30`, `max_f/2`, `12.5s`) into a film frame."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.expressions import Expression, ExpressionError
from wan_engine.schedule.timeline import Timeline

LARGEST_FRAME = 10**9
"""Keys beyond this are a mistake: more than a year of film at 30 frames a second."""

_QUOTES_AND_BRACKETS = str.maketrans("", "", "'\"()")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+|[0-9]*\.[0-9]+)")
_QUOTED = re.compile(r"([\s(]*)(['\"])([^'\"]*)\2([\s)]*)")
_SECONDS = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*s")


def parse_key(text: str, timeline: Timeline, field: str) -> int:
    """The film frame a key stands for; it may lie before or behind the film.

    A number or arithmetic with `max_f` and `s` is cut towards zero, as in Deforum; seconds go to the nearest frame, a
    half one up. Raises InputError with `field`, the key and the column in `text`.
    """
    try:
        return frame_of_key(text, timeline)
    except ExpressionError as error:
        problem = Problem(
            error.message, error.remedy, field=field, key=text.strip()[:80], column=error.column, part="key"
        )
        raise InputError(problem) from error


def frame_of_key(text: str, timeline: Timeline) -> int:
    """As `parse_key`, but raises ExpressionError with the column in `text`."""
    written = text.strip()
    if len(written) < 10 and written.isascii() and written.isdecimal():  # most keys; the way below is slower
        return int(written)
    bare = without_marks(text[:200]).strip()
    column = len(text) - len(text.lstrip()) + 1
    if not bare:
        raise ExpressionError("the key is empty", "Write a frame number such as 30", column)
    if len(text) <= 200 and is_plain_number(bare):
        return _sane(Fraction(bare), column)
    seconds = _SECONDS.fullmatch(bare) if len(text) <= 200 else None
    if seconds:
        return _sane(math.floor(Fraction(seconds.group(1)) * timeline.fps + Fraction(1, 2)), column)
    value = Expression.parse(without_quotes(text), ("max_f", "s")).value(max_f=timeline.max_f, s=timeline.seed)
    return _sane(value, column)


def without_marks(text: str) -> str:
    """The text without quotes and brackets, which Deforum removes before it looks what a key or value is."""
    return text.translate(_QUOTES_AND_BRACKETS)


def is_plain_number(text: str) -> bool:
    """Whether Deforum takes this for a number; all else, 1e-3 too, is an expression."""
    return _NUMBER.fullmatch(text) is not None


def without_quotes(text: str) -> str:
    """The text with the quotes around it, if there are any, made blank so that columns stay."""
    quoted = _QUOTED.fullmatch(text)
    return f"{quoted[1]} {quoted[3]} {quoted[4]}" if quoted else text


def _sane(value: int | float | Fraction, column: int) -> int:
    if not -LARGEST_FRAME <= value <= LARGEST_FRAME:
        raise ExpressionError("the key is far too large", "Give a frame inside the film", column)
    return int(value)
