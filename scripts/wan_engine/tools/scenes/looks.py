"""Keeps of each frame of a film what tells fades and flashes: 73 bytes, 63 MB for ten hours at 24 frames a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wan_engine.tools.scenes.detector import Block

ACROSS, DOWN = 8, 3
"""Fields of a frame whose mean colours are kept."""
_BRIGHT_SHARE = 98
"""Percent of a frame's points that are at most as bright as its kept brightness: a few bright points are noise."""


@dataclass(frozen=True)
class Looks:
    """The looks of a film's frames.

    fields: mean colour of each field, uint8, shape (frames, 72).  bright: brightness of nearly the brightest point.
    """

    fields: NDArray[np.uint8]
    bright: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.bright)

    def has_black(self, start: int, end: int, black: int) -> bool:
        """Whether a frame of [start, end) is darker than `black` everywhere."""
        span = self.bright[max(0, start) : max(0, end)]
        return bool(len(span)) and int(span.min()) < black

    def difference(self, one: int, other: int) -> float:
        """Mean difference of two frames' fields, 0 to 255."""
        return float(abs(self.fields[one].astype(int) - self.fields[other].astype(int)).mean())

    def lightness_change(self, start: int, end: int) -> float:
        """The greatest change of a frame's mean value against that of frame `start`, in [start, end)."""
        lightness = self.fields[start:end].mean(axis=1)
        return float(abs(lightness - lightness[0]).max())


class LooksKeeper:
    """Takes a film's frames as they pass by."""

    def __init__(self) -> None:
        self._fields: list[NDArray[np.uint8]] = []
        self._bright: list[NDArray[np.uint8]] = []

    def add(self, block: Block) -> None:
        """Look at further frames, whose size is a multiple of the fields'."""
        import numpy as np

        count, height, width, _ = block.shape
        parts = block.reshape(count, DOWN, height // DOWN, ACROSS, width // ACROSS, 3)
        self._fields.append(parts.mean(axis=(2, 4), dtype=np.float32).round().astype(np.uint8).reshape(count, -1))
        points = block.max(axis=3).reshape(count, -1)
        rank = points.shape[1] * _BRIGHT_SHARE // 100
        # A copy: a view would keep every point of the film.
        self._bright.append(np.partition(points, rank, axis=1)[:, rank].copy())

    def looks(self) -> Looks:
        """Of all frames that came."""
        import numpy as np

        empty = np.zeros((0, ACROSS * DOWN * 3), np.uint8)
        return Looks(np.concatenate([empty, *self._fields]), np.concatenate([empty[:, 0], *self._bright]))
