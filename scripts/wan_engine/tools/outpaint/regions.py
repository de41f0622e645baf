"""What is made anew, frame by frame: sides, a box, or the white parts of a picture or film; and how it is mixed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wan_engine.backends.control import FILL, KEEP
from wan_engine.errors import InputError, MediaError, Problem
from wan_engine.media.film_frames import film_frames, film_times
from wan_engine.media.pictures import picture_format, read_picture
from wan_engine.tools.outpaint.geometry import Layout
from wan_engine.words import counted

if TYPE_CHECKING:
    import numpy.typing as npt

    from wan_engine.media.frame_times import FrameTimes
    from wan_engine.media.picture import Mask, Picture

_WHITE = 128
"""From this grey value on, a mask's pixel is made anew."""


@dataclass(frozen=True)
class Share:
    """How a frame is put together. fill: what the model makes, hard, at its size.

    kept: share of the known picture in the finished frame, 0 to 1, (height, width, 1), at the film's size; work_kept:
    the same at the model's size.
    """

    fill: Mask
    kept: npt.NDArray[np.float32]
    work_kept: npt.NDArray[np.float32]


class Region(ABC):
    """Where a film is made anew."""

    @abstractmethod
    def fills(self, start: int, end: int) -> Iterator[Mask]:
        """For each of the film's frames [start, end) a mask of the finished film's size: KEEP or FILL."""

    @abstractmethod
    def check(self, frames: int) -> None:
        """Raise InputError unless there is a mask for each of the film's frames."""


@dataclass(frozen=True)
class Still(Region):
    """The same place in every frame."""

    mask: Mask

    def fills(self, start: int, end: int) -> Iterator[Mask]:
        for _ in range(start, end):
            yield self.mask

    def check(self, frames: int) -> None:
        """It is there for any number of them."""


@dataclass(frozen=True)
class MaskFilm(Region):
    """The white parts of a film with as many frames, of any size."""

    path: Path
    times: FrameTimes
    width: int
    height: int

    def fills(self, start: int, end: int) -> Iterator[Mask]:
        for picture in film_frames(self.path, self.times, start, end):
            yield _white(picture, self.width, self.height)

    def check(self, frames: int) -> None:
        if len(self.times) < frames:
            message = f"the mask film has {counted(len(self.times), 'frame')}, and the film {frames}"
            raise InputError(Problem(message, "Give a mask with a frame for each frame", field="mask"))


def region_of(layout: Layout, mask: str) -> Region:
    """What is made anew: the user's mask, else the layout's hole, else what lies around the kept picture.

    Raises MediaError for a mask that cannot be read, InputError for one without white parts.
    """
    if mask:
        return _of_file(Path(mask), layout)
    fill = np.full((layout.height, layout.width), FILL if layout.hole is None else KEEP, np.uint8)
    if layout.hole is None:
        fill[layout.kept.part()] = KEEP
    else:
        fill[layout.hole.part()] = FILL
    return Still(fill)


def _of_file(path: Path, layout: Layout) -> Region:
    if not path.is_file():
        raise MediaError(f"mask: {path} is not there", "Correct the path of the mask")
    kind = picture_format(path)
    if kind is None or kind == "animation":
        return MaskFilm(path, film_times(path), layout.width, layout.height)
    fill = _white(read_picture(path, layout.width, layout.height, "stretch"), layout.width, layout.height)
    if not fill.any():
        message = f"the mask {path.name} has no white parts: nothing would be made"
        raise InputError(Problem(message, "Paint white what is to be made anew", field="mask"))
    return Still(fill)


def _white(picture: Picture, width: int, height: int) -> Mask:
    import cv2

    grey = picture.max(axis=2)
    if grey.shape != (height, width):
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))
    return np.where(grey >= _WHITE, FILL, KEEP).astype(np.uint8)


class Sharing:
    """Makes of a region's masks what the model is shown and what the finished frames are mixed by.

    The mask that the model sees reaches half of the feather into the known picture, so that there is something new to
    mix in; the pixels behind the feather are all known. What was asked for last is kept: most masks stand still.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._last: tuple[Mask, Share] | None = None

    def of(self, fill: Mask) -> Share:
        """The share for a mask of the film's size."""
        if self._last is None or (self._last[0] is not fill and not np.array_equal(self._last[0], fill)):
            self._last = fill, self._made(fill)
        return self._last[1]

    def _made(self, fill: Mask) -> Share:
        layout = self._layout
        kept = _ramp(fill, layout.feather)
        used = _resized(fill, layout.used_width, layout.used_height)
        feather = round(layout.feather * layout.scale)
        inside = _distance(used)
        work_kept = np.clip(inside / (feather + 1), 0, 1).astype(np.float32)
        # What lies beyond the film on the model's canvas is nobody's: the model may paint there.
        beyond = ((0, layout.work_height - layout.used_height), (0, layout.work_width - layout.used_width))
        hard = np.where(inside <= feather // 2, FILL, KEEP).astype(np.uint8)
        hard = np.pad(hard, beyond, constant_values=FILL)
        return Share(hard, kept[..., None], np.pad(work_kept, beyond)[..., None])


def _ramp(fill: Mask, feather: int) -> npt.NDArray[np.float32]:
    """1 where a pixel is more than `feather` pixels away from what is filled, falling evenly to 0 inside it."""
    ramp: npt.NDArray[np.float32] = np.clip(_distance(fill) / (feather + 1), 0, 1).astype(np.float32)
    return ramp


def _distance(fill: Mask) -> Any:
    """How far each kept pixel is from the nearest that is filled, in pixels; 0 inside."""
    import cv2

    if not fill.any():
        return np.full(fill.shape, np.inf, np.float32)
    return cv2.distanceTransform(np.where(fill == FILL, 0, 255).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _resized(fill: Mask, width: int, height: int) -> Mask:
    import cv2

    if fill.shape == (height, width):
        return fill
    scaled = cv2.resize(fill, (width, height), interpolation=cv2.INTER_AREA)
    return np.where(scaled >= _WHITE, FILL, KEEP).astype(np.uint8)
