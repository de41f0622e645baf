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

QUOTES_AND_BRACKETS = str.maketrans("", "", "'\"()")
"""Deforum removes these before it looks whether a key or value is a plain number."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+|[0-9]*\.[0-9]+)")
_SECONDS = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*s")


def parse_key(text: str, timeline: Timeline, field: str) -> int:
    """The film frame a key stands for; it may lie before or behind the film.

    A number or arithmetic with `max_f` and `s` is cut towards zero, as in Deforum; seconds go to the nearest frame, a
    half one up. Raises InputError with `field`, the key and the column in `text`.
    """
    try:
        return frame_of_key(text, timeline)
    except ExpressionError as error:
        problem = Problem(error.message, error.remedy, field=field, key=text.strip()[:80], column=error.column)
        raise InputError(problem) from error


def frame_of_key(text: str, timeline: Timeline) -> int:
    """As `parse_key`, but raises ExpressionError with the column in `text`."""
    written = text.strip()
    if len(written) < 10 and written.isascii() and written.isdecimal():  # most keys; the way below is slower
        return int(written)
    bare = text[:200].translate(QUOTES_AND_BRACKETS).strip()
    column = len(text) - len(text.lstrip()) + 1
    if not bare:
        raise ExpressionError("the key is empty", "Write a frame number such as 30", column)
    if len(text) <= 200 and _NUMBER.fullmatch(bare):
        return _sane(Fraction(bare), column)
    seconds = _SECONDS.fullmatch(bare) if len(text) <= 200 else None
    if seconds:
        return _sane(math.floor(Fraction(seconds.group(1)) * timeline.fps + Fraction(1, 2)), column)
    value = Expression.parse(_without_quotes(text), ("max_f", "s")).value(max_f=timeline.max_f, s=timeline.seed)
    return _sane(value, column)


def _without_quotes(text: str) -> str:
    """The text with a quote at each end, as Deforum allows, made blank so that columns stay."""
    inner = text.strip()
    if len(inner) >= 2 and inner[0] in "'\"" and inner[-1] in "'\"":
        return text.replace(inner, f" {inner[1:-1]} ", 1)
    return text


def _sane(value: int | float | Fraction, column: int) -> int:
    if not -LARGEST_FRAME <= value <= LARGEST_FRAME:
        raise ExpressionError("the key is far too large", "Give a frame inside the film", column)
    return int(value)
