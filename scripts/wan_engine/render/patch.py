"""The frames that mend one seam: a lossless file beside the clips, whose own frames stay as they were rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.media.clipfile import read_clip
from wan_engine.plan.model import Clip

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


@dataclass(frozen=True)
class Patch:
    """Model frames around a seam that take the place of the clips' own.

    path: their file.  lead: how many of them lie before the seam; the next one is the first frame of the new clip.
    """

    path: Path
    lead: int

    def ahead(self, clip: Clip) -> Iterator[tuple[int, Picture]]:
        """Number and picture of what takes its place in the clip before the seam, the frame it hands over included."""
        for number, frame in enumerate(read_clip(self.path)):
            if number <= self.lead:
                yield clip.last - self.lead + number, frame

    def behind(self, clip: Clip) -> Iterator[tuple[int, Picture]]:
        """Number and picture of what takes its place in the clip behind the seam."""
        for number, frame in enumerate(read_clip(self.path)):
            if number >= self.lead:
                yield clip.first + number - self.lead, frame
