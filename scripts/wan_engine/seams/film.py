"""Measures the seams of a film file, at frames that the user names or that its plan knows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.media.probe import every_frame, probe
from wan_engine.plan.model import read_plan
from wan_engine.plan.seam import Join, Seam
from wan_engine.seams.meter import SeamMeter
from wan_engine.words import counted

_PLACE = re.compile(r"[0-9]{1,9}|[0-9./]{1,20}s")
"""A frame, or seconds. Fraction alone would also take 1e999999999s, and all memory for it."""


def seams_of(film: Path, joins: Mapping[int, Join]) -> tuple[Seam, ...]:
    """The film's seams at these frames.

    Raises MediaError for a film that cannot be read, InputError for a frame that the film has not.
    """
    meter = SeamMeter(joins)
    count = 0
    for frame in every_frame(film):
        meter.write(frame)
        count += 1
    meter.close()
    beyond = [frame for frame, join in joins.items() if frame + (join.kind != "loop") > count]
    if beyond:
        problem = Problem(
            f"the film has {counted(count, 'frame')}; none is {beyond[0]}", "Name frames inside it", field="cuts"
        )
        raise InputError(problem)
    return meter.seams


def joins_of(film: Path, words: Sequence[str]) -> dict[int, Join]:
    """Where a film's clips join: at the frames or seconds the user names, else where the plan beside it says.

    words: such as `80` or `2.5s`.  Raises InputError when there are neither, or a word is wrong; MediaError.
    """
    if words:
        return _named(words, probe(film).fps)
    plan = film.with_name(f"{film.stem}_plan.json")
    if not plan.is_file():
        raise InputError(Problem(f"no plan lies beside {film}", "Name the frames with --cuts 80,160", field="cuts"))
    return read_plan(plan).joins()


def _named(words: Sequence[str], fps: Fraction) -> dict[int, Join]:
    problems, joins = ProblemList(), {}
    for word in words:
        frame = _frame(word.strip(), fps)
        if frame is None or frame < 1:
            remedy = "Give frames from 1 on, or seconds: 80, 160 or 2.5s"
            problems.add(Problem(f"{word.strip()!r} is no place for a seam", remedy, field="cuts"))
        else:
            joins[frame] = Join()
    problems.raise_if_any()
    return joins


def _frame(word: str, fps: Fraction) -> int | None:
    if not _PLACE.fullmatch(word):
        return None
    try:
        return round(Fraction(word[:-1]) * fps) if word.endswith("s") else int(word)
    except (ValueError, ZeroDivisionError):
        return None
