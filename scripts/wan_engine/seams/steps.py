"""The step from one film frame to the next, in figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wan_engine.media.flow import fetched, flow_between

if TYPE_CHECKING:
    import numpy.typing as npt

    from wan_engine.media.picture import Picture

LONG_SIDE = 256
"""Frames are measured at this longer side, in pixels, so that figures do not depend on the film's size much."""
_NOISE = 2.0
"""Grey levels, of a mean over 3x3 pixels, up to which a pixel of rendered frames is the same in the next one."""
_MOST_MOVING = 95.0
"""Percentile of the flow from which on it counts for the dynamic degree."""
_AROUND = 5
"""Pixels across of the surroundings of one that changes in which flow counts too."""


@dataclass(frozen=True)
class Look:
    """A film frame made ready to be measured: small, and what its colours are.

    mean: of L, a and b in Lab units.  spread: standard deviation of L.
    """

    small: Picture
    mean: tuple[float, float, float]
    spread: float


@dataclass(frozen=True)
class Step:
    """From one frame to the next. difference, warp: mean grey levels.  motion: mean pixels a thing moves.

    colour: delta E of the mean colours.  spread: change of the spread of lightness.  across, down: mean motion.
    """

    difference: float
    warp: float
    motion: float
    colour: float
    spread: float
    across: float
    down: float

    def turn_to(self, other: Step) -> float:
        """The angle between the two steps' mean motions, 0 to 180 degrees."""
        own, theirs = math.atan2(self.down, self.across), math.atan2(other.down, other.across)
        turn = abs(math.degrees(own - theirs)) % 360
        return min(turn, 360 - turn)


def look_at(frame: Picture) -> Look:
    """Make a frame ready."""
    import cv2

    height, width = frame.shape[:2]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = (max(12, round(width * scale)), max(12, round(height * scale)))
    small: Any = frame if size == (width, height) else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mean = lab.reshape(-1, 3).mean(axis=0)
    return Look(small, (float(mean[0]), float(mean[1]), float(mean[2])), float(lab[..., 0].std()))


def step_between(first: Look, second: Look) -> Step:
    """Measure the step from one frame to the next."""
    flow = flow_between(first.small, second.small)
    undone = fetched(second.small, flow)
    moved = flow * changed(first.small, second.small)[..., None]
    return Step(
        difference=difference(first, second),
        warp=_mean_difference(first.small, undone),
        motion=float(np.hypot(moved[..., 0], moved[..., 1]).mean()),
        colour=math.dist(first.mean, second.mean),
        spread=abs(first.spread - second.spread),
        across=float(moved[..., 0].mean()),
        down=float(moved[..., 1].mean()),
    )


def most_moving(first: Look, second: Look) -> float:
    """Mean motion in pixels of the 5 % of the picture that move most: what VBench's dynamic degree counts."""
    flow = flow_between(first.small, second.small)
    length = np.hypot(flow[..., 0], flow[..., 1]) * changed(first.small, second.small)
    return float(length[length >= np.percentile(length, _MOST_MOVING)].mean())


def changed(first: Picture, second: Picture) -> npt.NDArray[np.bool_]:
    """Where a picture changes by more than noise, and close by. Elsewhere flow is a guess: in a flat surface, whose
    noise differs from frame to frame, it is several pixels long where nothing moves.
    """
    import cv2

    one, other = (cv2.blur(picture.astype(np.float32), (3, 3)) for picture in (first, second))
    change: Any = (np.abs(one - other).max(axis=2) > _NOISE).astype(np.uint8)
    around: npt.NDArray[np.bool_] = cv2.dilate(change, np.ones((_AROUND, _AROUND), np.uint8)) > 0
    return around


def difference(first: Look, second: Look) -> float:
    """Mean difference of two frames in grey levels, 0 to 255."""
    return _mean_difference(first.small, second.small)


def _mean_difference(first: Picture, second: Picture) -> float:
    return float(np.abs(first.astype(np.int16) - second.astype(np.int16)).mean())
