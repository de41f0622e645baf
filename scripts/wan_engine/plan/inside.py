"""Pictures inside a clip: which stretches become one, and on which model frame each picture lies.

A clip passes through a picture as VACE knows frames: given alone, it is obeyed where it is the last frame of a latent
frame (the small model: to a pixel there, hardly one frame earlier). So each lies on a model frame that is a multiple of
4, as one at a clip's end does, and time is stretched a little between the pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from wan_engine.plan.continuity import Joining
from wan_engine.plan.pace import Pace
from wan_engine.plan.stretches import Stretch
from wan_engine.plan.timing import LATENT_STRIDE, intervals, pinned_intervals

_NO_LIMIT = 1 << 30
USEFUL = 16
"""Model intervals below which a clip is too short for anything to move well in it."""


def with_inside(stretches: Iterable[Stretch], which: str, joining: Joining, pace: Pace) -> list[Stretch]:
    """The stretches, those joined to one that a clip of VACE shall go through. which: never, near or always.

    A stretch that starts from its prompt alone stays alone: there is no frame to go from.
    """
    found: list[Stretch] = []
    for stretch in stretches:
        wanted = found and (which == "always" or (which == "near" and _near(found[-1], stretch, pace)))
        joined = _joined(found[-1], stretch) if wanted else None
        if joined is not None and _fits(joined, joining, pace):
            found[-1] = joined
        else:
            found.append(stretch)
    return found


def pins(stretch: Stretch, pinned_end: bool, rate: Fraction) -> list[tuple[int, int]]:
    """Film frame and model interval of each picture inside, and of where the stretch arrives.

    pinned_end: whether it arrives at a picture. Each place is told from the start, so that no rounding adds up.
    """
    places, passed = [], 0
    for frame, _ in stretch.inside:
        passed = max(passed + LATENT_STRIDE, _pinned(frame - stretch.start, rate))
        places.append((frame, passed))
    span = stretch.arrives - stretch.start
    end = max(passed + LATENT_STRIDE, _pinned(span, rate)) if pinned_end else max(passed + 1, intervals(span, rate))
    return [*places, (stretch.arrives, end)]


def _joined(first: Stretch, second: Stretch) -> Stretch | None:
    picture = second.first_picture
    if first.prompt != second.prompt or picture is None or not picture.image:
        return None
    inside = (*first.inside, (second.start, picture), *second.inside)
    return replace(first, end=second.end, arrives=second.arrives, last_picture=second.last_picture, inside=inside)


def _fits(stretch: Stretch, joining: Joining, pace: Pace) -> bool:
    """Whether one clip of VACE can go through all of it."""
    continuity, lineup = joining.continuity, pace.lineup
    way = continuity.way(lineup, stretch.last_picture is not None)
    if not lineup.can("vace") or not (stretch.first_picture or (stretch.start and way != "cut")):
        return False
    beside = joining.overlap - 1 if way == "overlap" and not stretch.first_picture else 0
    beside += joining.spare if not stretch.last_picture else 0
    return pins(stretch, stretch.last_picture is not None, pace.rate)[-1][1] <= pace.limit("vace", beside)


def _near(first: Stretch, second: Stretch, pace: Pace) -> bool:
    """Whether either is too short to be a clip."""
    last = first.inside[-1][0] if first.inside else first.start
    spans = (second.start - last, second.arrives - second.start)
    return min(intervals(span, pace.rate) for span in spans) < USEFUL


def _pinned(span: int, rate: Fraction) -> int:
    return pinned_intervals(span, rate, _NO_LIMIT)
