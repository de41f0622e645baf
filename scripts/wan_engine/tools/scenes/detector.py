"""What a scene detector is: small frames go in, in order, and for each comes out how likely a scene ends there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Block = NDArray[np.uint8]
    """Frames in order, RGB, of shape (frames, height, width, 3)."""
    Likelihood = NDArray[np.float32]
    """For each frame two numbers from 0 to 1, shape (frames, 2): that a scene ends with this frame or a transition has
    its middle here; that the frame is part of a transition. 0.5 is where the detector itself would cut."""


@dataclass(frozen=True)
class FrameSize:
    """The size of the frames that a detector looks at, in pixels: a multiple of 8 and a multiple of 3."""

    width: int
    height: int


class Detector(Protocol):
    """One way to find scenes. It works in memory that does not grow with the film, and gives as many rows as frames.

    name: as in the setting `detector`.  words: what it is and where it runs, for the user.
    """

    @property
    def name(self) -> str: ...
    @property
    def words(self) -> str: ...
    @property
    def size(self) -> FrameSize: ...

    def likelihoods(self, frames: Iterable[Block]) -> Iterator[Likelihood]:
        """Look at a film, from its first frame to its last."""
