"""What a clip of mode vace is shown: the pixels of every frame, and a mask that says which of them are known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wan_engine.errors import RenderError

if TYPE_CHECKING:
    from wan_engine.media.picture import Mask, Picture
    from wan_engine.plan.model import Clip

KEEP, FILL = 0, 255
"""The two values of a mask's pixels."""


@dataclass(frozen=True)
class ControlFrame:
    """One frame. picture: RGB, (height, width, 3).  mask: (height, width), KEEP where a pixel is known, else FILL."""

    picture: Picture
    mask: Mask


@dataclass(frozen=True)
class Control:
    """The frames of a clip as far as they are known: any pixels of any frames.

    read: gives exactly `clip.frames` frames of the request's size, in order, the same ones each time it is called: it
    may read them from a file, so that few are in memory. They are read once for the clip's hash and once for the model.
    canvas: whether the model is shown the pixels to fill as they stand in the pictures; else they are mid grey for it,
    exactly 0 between -1 and 1, which VACE was trained on, and may be anything in the pictures.

    What is known is shown to the model and not put back into what it makes: the VAE changes every pixel a little, so
    whoever wants known pixels untouched pastes them over the finished frames. Of the clip's first `clip.overlap` frames
    (4k+1, wholly known, as after another clip) the latents themselves are held at every step; those of known frames
    later on cannot be, for the VAE encodes each frame with those before it. In the mask that the model sees, the frame
    nearest to each latent frame's share of time stands for all four: a single known frame should come with three more,
    or at frame 0.
    """

    read: Callable[[], Iterator[ControlFrame]]
    canvas: bool = False

    @classmethod
    def of(cls, frames: Sequence[ControlFrame], canvas: bool = False) -> Control:
        """The control of frames that are in memory."""
        return cls(lambda: iter(frames), canvas)

    def checked(self, clip: Clip, width: int, height: int) -> Iterator[ControlFrame]:
        """The frames, each looked at as it passes. Raises RenderError when one does not fit the clip."""
        count = 0
        for frame in self.read():
            _check(frame, clip, count, (height, width))
            count += 1
            yield frame
        if count != clip.frames:
            raise RenderError(f"clip {clip.index} got a control of {count} frames, not {clip.frames}")

    def fingerprint(self) -> str:
        """A hash of all that the model is shown."""
        import numpy as np

        total = hashlib.sha256(b"canvas" if self.canvas else b"grey")
        for frame in self.read():
            shown = frame.picture if self.canvas else np.where(frame.mask[..., None] == KEEP, frame.picture, 0)
            total.update(np.ascontiguousarray(shown).data)
            total.update(np.ascontiguousarray(frame.mask).data)
        return total.hexdigest()


def _check(frame: ControlFrame, clip: Clip, number: int, size: tuple[int, int]) -> None:
    import numpy as np

    where = f"frame {number} of the control of clip {clip.index}"
    if number >= clip.frames:
        raise RenderError(f"clip {clip.index} got a control of more than its {clip.frames} frames")
    for array, shape in ((frame.picture, (*size, 3)), (frame.mask, size)):
        if array.shape != shape or array.dtype != np.uint8:
            raise RenderError(f"{where} is {array.shape} {array.dtype}, not {shape} uint8")
    known = frame.mask == KEEP
    if not (known | (frame.mask == FILL)).all():
        raise RenderError(f"the mask of {where} has other values than {KEEP} and {FILL}")
    if number < clip.overlap and not known.all():
        raise RenderError(f"{where} is not wholly known, and the clip repeats its first {clip.overlap} frames")
