"""Measures a film's seams while its frames pass by, with a few small frames in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from wan_engine.plan.seam import Join, Seam
from wan_engine.seams.drift import DriftMeter
from wan_engine.seams.steps import Look, Step, difference, look_at, step_between
from wan_engine.storage.atomic import WholeOrNothing

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

REACH = 12
"""Steps on each side of a seam that it is compared with."""
_STILL_LEVELS, _STILL_PIXELS = 0.25, 0.02
"""Differences (grey levels) and motion (pixels) below these are rounding: a still scene has no ratio of its own."""
_CLEAN_WARP = 1.5
"""Grey levels that undoing the motion leaves at best in rendered frames, so that a spotless clip makes no seam bad."""
_FLASH = 3.0
"""A flash differs from both its neighbours this many times as much as they differ from each other."""


class SeamMeter(WholeOrNothing):
    """Takes a film frame by frame. joins: each seam by the frame at which its new clip begins.

    That of kind `loop` lies behind the film's last frame: the film's first frames follow there.
    """

    def __init__(self, joins: Mapping[int, Join]) -> None:
        self._joins = dict(sorted(joins.items()))
        self._wanted = {step for frame in self._joins for step in range(frame - REACH, frame + REACH + 1)}
        self._loops = next((frame for frame, join in self._joins.items() if join.kind == "loop"), None)
        self._clips = {0, *joins} | {self._loops + frame for frame in joins if self._loops and frame <= REACH}
        self._beginning: list[Look] = []
        self._drift = DriftMeter([frame for frame, join in joins.items() if join.kind != "loop"])
        self._before: Look | None = None
        self._at_seam: dict[int, Look] = {}
        self._steps: dict[int, Step] = {}
        self._flashes: set[int] = set()
        self._number = 0
        self._done: list[tuple[Seam, Join]] = []

    def write(self, frame: Picture) -> None:
        """Take the next film frame."""
        number = self._number
        looped = self._loops is not None and number <= REACH + 1
        sampled = self._drift.samples(number)
        look = look_at(frame) if looped or sampled or number in self._wanted or number + 1 in self._wanted else None
        if look is not None and looped:
            self._beginning.append(look)
        if look is not None and sampled:
            self._drift.add(number, look)
        self._take(look)

    def _take(self, look: Look | None) -> None:
        number = self._number
        self._number += 1
        if look is not None and self._before is not None and number in self._wanted:
            self._steps[number] = step_between(self._before, look)
            self._note_flash(number, look)
        self._before = look
        for seam in [seam for seam in self._joins if seam + REACH < number]:
            self._measure(seam)

    def close(self) -> None:
        """The film has ended."""
        if self._number == self._loops:
            for look in self._beginning:
                self._take(look)
        for seam in list(self._joins):
            self._measure(seam)

    def abort(self) -> None:
        """Measure nothing more."""
        self._joins.clear()

    @property
    def seams(self) -> tuple[Seam, ...]:
        """The seams that are measured, in film order; all of them after `close`."""
        return tuple(
            replace(seam, drift=self._drift.between(join.since, seam.frame) if join.since != seam.frame else None)
            for seam, join in self._done
        )

    def _note_flash(self, number: int, look: Look) -> None:
        """`number` is the frame after a seam's first one when that is where a flash would show."""
        assert self._before is not None
        if number in self._joins:
            self._at_seam[number] = self._before
        before = self._at_seam.pop(number - 1, None)
        if before is None:
            return
        there_and_back = min(difference(before, self._before), difference(self._before, look))
        apart = max(difference(before, look), _STILL_LEVELS)
        if there_and_back > _FLASH * apart:
            self._flashes.add(number - 1)

    def _measure(self, frame: int) -> None:
        join = self._joins.pop(frame)
        at = self._steps.get(frame)
        inside = list(self._inside(frame))
        if at is not None and inside:
            self._done.append((_seam(frame, join, at, inside, frame in self._flashes), join))
        later = min(self._joins, default=None)
        for step in [step for step in self._steps if later is None or step < later - REACH]:
            del self._steps[step]

    def _inside(self, frame: int) -> Iterator[Step]:
        """The steps beside the seam, up to the next seams."""
        for direction in (-1, 1):
            for distance in range(1, REACH + 1):
                number = frame + direction * distance
                if number in self._clips:
                    break
                if number in self._steps:
                    yield self._steps[number]


def _seam(frame: int, join: Join, at: Step, inside: list[Step], flash: bool) -> Seam:
    usual_colour, usual_spread = median(step.colour for step in inside), median(step.spread for step in inside)
    moving = [step for step in inside if step.motion > _STILL_PIXELS]
    turn = None
    if at.motion > 2 * _STILL_PIXELS and len(moving) > len(inside) // 2:
        turn = round(median(step.turn_to(at) for step in moving), 1)
    return Seam(
        frame=frame,
        kind=join.kind,
        new_prompt=join.new_prompt,
        difference=_ratio(at.difference, median(step.difference for step in inside), _STILL_LEVELS),
        warp=_ratio(at.warp, median(step.warp for step in inside), _CLEAN_WARP),
        motion=_ratio(at.motion, median(step.motion for step in inside), _STILL_PIXELS),
        colour=round(max(0.0, at.colour - usual_colour), 3),
        spread=round(max(0.0, at.spread - usual_spread), 3),
        turn=turn,
        flash=flash,
    )


def _ratio(value: float, usual: float, still: float) -> float:
    """The value as a part of the usual one; two that are too small to be seen are alike."""
    if max(value, usual) < still:
        return 1.0
    return round(value / max(usual, still), 3)


def measure(frames: Iterable[Picture], joins: Mapping[int, Join]) -> tuple[Seam, ...]:
    """The seams of a film that is given frame by frame. joins: as for `SeamMeter`."""
    meter = SeamMeter(joins)
    for frame in frames:
        meter.write(frame)
    meter.close()
    return meter.seams
