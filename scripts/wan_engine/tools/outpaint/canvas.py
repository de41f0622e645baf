"""What the model is shown of a frame: the known picture on its canvas, and what stands where it is to paint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.media.pictures import resized
from wan_engine.tools.outpaint.geometry import Layout

if TYPE_CHECKING:
    from wan_engine.media.picture import Mask, Picture

MID_GREY = 127
_BLUR = 0.04
"""Of a mirrored canvas: standard deviation of the blur, as a part of the picture's shorter side."""


@dataclass(frozen=True)
class Canvas(ABC):
    """A way to fill what is not known yet. shown: whether the model is shown it; it sees mid grey otherwise."""

    layout: Layout
    shown = True

    def picture(self, source: Picture, fill: Mask, number: int) -> Picture:
        """The model's canvas for film frame `number`.  source: the frame in its own size.  fill: the model's mask."""
        known = resized(source, self.layout.work_kept.width, self.layout.work_kept.height)
        ground = self.ground(known, number)
        picture = ground.copy()
        picture[self.layout.work_kept.part()] = known
        return np.where(fill[..., None] > 0, ground, picture) if self.shown else picture

    @abstractmethod
    def ground(self, known: Picture, number: int) -> Picture:
        """What stands where nothing is known, of the model's size. known: the source in its size on the canvas."""


@dataclass(frozen=True)
class Grey(Canvas):
    """Mid grey, which VACE was trained on."""

    shown = False

    def ground(self, known: Picture, number: int) -> Picture:
        return np.full((self.layout.work_height, self.layout.work_width, 3), MID_GREY, np.uint8)


@dataclass(frozen=True)
class Mirror(Canvas):
    """The known picture mirrored at its border, again and again where the canvas is larger, and blurred."""

    def ground(self, known: Picture, number: int) -> Picture:
        import cv2

        box, layout = self.layout.work_kept, self.layout
        sides = (box.top, layout.work_height - box.bottom, box.left, layout.work_width - box.right)
        mirrored = cv2.copyMakeBorder(known, *sides, cv2.BORDER_REFLECT)
        blurred = cv2.GaussianBlur(mirrored, (0, 0), max(1.0, _BLUR * min(known.shape[:2])))
        return np.asarray(blurred, np.uint8)


@dataclass(frozen=True)
class Noise(Canvas):
    """Pictures that were decoded from noise, one after the other."""

    pictures: Sequence[Picture] = ()

    def ground(self, known: Picture, number: int) -> Picture:
        return self.pictures[number % len(self.pictures)]
