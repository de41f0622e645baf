"""Reads a film's likelihoods: where scenes end, by cut, dissolve or fade, and what only looks like it.

A row of neighbouring frames above the threshold is one transition. Three things are put right then: a fade through
black is told twice or not at all and becomes one, a flash of light is none, and scenes that are too short are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wan_engine.tools.scenes.looks import Looks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wan_engine.tools.scenes.detector import Likelihood

FADE_FRAMES = 48
"""Two transitions that are nearer than this, with black between them, are one fade: two seconds of a cinema film."""
FLASH_FRAMES = 12
"""Longest flash."""
LONGEST_CUT = 2
"""Frames above the threshold at a hard cut at most; more are a transition."""

_BLACK = 16
"""Brightest value, but for two in a hundred points, of a frame that is black: video black is 16 of 255."""
_SAME = 14.0
"""Mean difference, of 255, up to which the pictures before and after a flash are the same scene."""
_FLASH = 25.0
"""By how much, of 255, a flash is brighter, or a moment of darkness darker, than the frame before it."""
_GAP = 4
"""Frames between two rows of one slow transition."""


@dataclass(frozen=True)
class Transition:
    """From one scene to the next. start: first frame that is no longer the one alone; end: first of the other alone.

    kind: cut (start is end), dissolve or fade.  likelihood: the greatest in it.
    """

    start: int
    end: int
    kind: str
    likelihood: float

    @property
    def middle(self) -> int:
        """The frame at which the scenes part if nothing is left out."""
        return (self.start + self.end) // 2


def find_transitions(likelihood: Likelihood, looks: Looks, threshold: float, shortest: int) -> list[Transition]:
    """The transitions of a film, in order. shortest: of a scene, in frames."""
    black = looks.bright < _BLACK
    inside = _without_gaps((likelihood[:, 1] >= 0.5) | black)
    found = [_transition(likelihood, inside, row) for row in _rows(likelihood[:, 0] >= threshold)]
    found += [_darkness(likelihood, inside, row, threshold) for row in _rows(black)]
    found = _joined(sorted(found, key=lambda each: (each.start, each.end)), looks)
    inner = [each for each in found if each.start > 0 and each.end < len(likelihood)]
    return _long_enough(_without_flashes(inner, looks), len(likelihood), shortest)


def _rows(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each row of neighbouring true values."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]


def _without_gaps(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With the short gaps between two rows filled: the network is unsure about single frames of a slow fade."""
    closed = inside.copy()
    for first, last in _rows(~inside):
        if first > 0 and last + 1 < len(inside) and last - first < _GAP:
            closed[first : last + 1] = True
    return closed


def _transition(likelihood: Likelihood, inside: NDArray[np.bool_], row: tuple[int, int]) -> Transition:
    """The transition of one row above the threshold, whose middle it may be."""
    first, last = row
    best = first + int(likelihood[first : last + 1, 0].argmax())
    greatest = float(likelihood[best, 0])
    begin, end = _reach(inside, first, last)
    if end - begin < LONGEST_CUT:
        return Transition(best + 1, best + 1, "cut", greatest)
    return Transition(begin + 1, end + 1, "dissolve", greatest)


def _darkness(likelihood: Likelihood, inside: NDArray[np.bool_], row: tuple[int, int], threshold: float) -> Transition:
    """The fade whose black frames are this row; it is one however little the network thinks of it."""
    begin, end = _reach(inside, *row)
    return Transition(begin, end + 1, "fade", max(threshold, float(likelihood[begin : end + 1, 0].max())))


def _reach(inside: NDArray[np.bool_], first: int, last: int) -> tuple[int, int]:
    """The row, lengthened as long as the frames next to it are inside a transition too."""
    if inside[first : last + 1].any():
        while first > 0 and inside[first - 1]:
            first -= 1
        while last + 1 < len(inside) and inside[last + 1]:
            last += 1
    return first, last


def _joined(found: list[Transition], looks: Looks) -> list[Transition]:
    """Join what reaches into each other, and two transitions with a black frame between them."""
    joined: list[Transition] = []
    for each in found:
        before = joined[-1] if joined else None
        if before is None or not (each.start < before.end or _is_fade(before, each, looks)):
            joined.append(each)
            continue
        start, end = before.start, max(before.end, each.end)
        kind = "fade" if looks.has_black(start, end, _BLACK) else "dissolve"
        joined[-1] = Transition(start, end, kind, max(before.likelihood, each.likelihood))
    return joined


def _is_fade(before: Transition, after: Transition, looks: Looks) -> bool:
    near = after.start - before.end <= FADE_FRAMES
    return near and looks.has_black(before.end, after.start, _BLACK)


def _without_flashes(found: list[Transition], looks: Looks) -> list[Transition]:
    """Leave out where the picture is the same again a few frames later, after having been much brighter or darker."""
    kept: list[Transition] = []
    skipped_until = -1
    for number, each in enumerate(found):
        if each.start < skipped_until:
            continue
        ends = [later.end for later in found[number:] if later.end - each.start <= FLASH_FRAMES]
        flash_end = max((end for end in ends if _is_flash(each.start, end, looks)), default=-1)
        if flash_end < 0:
            kept.append(each)
        else:
            skipped_until = flash_end + 1
    return kept


def _is_flash(start: int, end: int, looks: Looks) -> bool:
    """Whether frames around [start, end) show the same, and one in between is much brighter or darker."""
    before, after = max(0, start - 2), min(len(looks) - 1, end + 1)
    if looks.difference(before, after) > _SAME:
        return False
    return looks.lightness_change(before, after + 1) > _FLASH


def _long_enough(found: list[Transition], frames: int, shortest: int) -> list[Transition]:
    """Leave out the weaker of two neighbours that are too near, and what is too near to the film's ends."""
    kept: list[Transition] = []
    for each in found:
        if each.middle < shortest or frames - each.middle < shortest:
            continue
        if kept and each.middle - kept[-1].middle < shortest:
            if each.likelihood > kept[-1].likelihood:
                kept[-1] = each
            continue
        kept.append(each)
    return kept
