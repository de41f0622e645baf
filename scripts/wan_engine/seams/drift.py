"""How far the colours of a film's clips wander: their mean colours, taken while the frames pass by."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

import numpy as np

from wan_engine.seams.steps import Look

SAMPLED = 4
"""Of this many frames one is looked at: colours change slowly."""


class DriftMeter:
    """Takes looks at film frames. starts: the frames at which clips begin, besides the first."""

    def __init__(self, starts: Iterable[int]) -> None:
        self._starts = sorted({0, *starts})
        self._sums = np.zeros((len(self._starts), 4))

    def samples(self, number: int) -> bool:
        """Whether this frame is to be looked at. The first of each clip always is."""
        begun = self._starts[bisect_right(self._starts, number) - 1]
        return (number - begun) % SAMPLED == 0

    def add(self, number: int, look: Look) -> None:
        """Count a frame to its clip."""
        self._sums[bisect_right(self._starts, number) - 1] += (*look.mean, 1)

    def between(self, first: int | None, second: int) -> float | None:
        """Delta E between the mean colours of the clips that begin at these frames; None when one was not seen."""
        if first is None:
            return None
        one, other = (self._sums[bisect_right(self._starts, frame) - 1] for frame in (first, second))
        if not one[3] or not other[3]:
            return None
        return round(math.dist(one[:3] / one[3], other[:3] / other[3]), 3)
