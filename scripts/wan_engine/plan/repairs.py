"""How seams are mended: what may be tried, and which frames VACE makes anew and is given beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wan_engine.plan.timing import LATENT_STRIDE
from wan_engine.settings import SETTINGS

if TYPE_CHECKING:
    from wan_engine.plan.model import Clip

REPAIRS = SETTINGS["seam_repair"].choices
"""The values of the setting `seam_repair`."""
MOST_RETRIES = 3
"""Times that one clip is rendered again at most, so that one hopeless seam does not use up the film's budget."""
CONTEXT = 12
"""Model frames on each side of those made anew that VACE is shown, if the clips have as many; before them one more,
so that whole latent frames are known."""
LEAST_MIDDLE = 8
"""The fewest frames made anew: four on each side of the seam."""
REPAIR_PART = 1_000_003
"""Stands for the part number in the seed of a repair: no prompt has that many parts."""


@dataclass(frozen=True)
class Window:
    """The frames of a repair, in model frames: `before` given, `middle` made anew, `behind` given.

    The seam lies in the middle of `middle`.
    """

    before: int
    middle: int
    behind: int

    @property
    def frames(self) -> int:
        """All of them: 4k+1."""
        return self.before + self.middle + self.behind

    @property
    def lead(self) -> int:
        """Frames made anew before the seam."""
        return self.middle // 2


def window(before: Clip, clip: Clip, middle: int, native_frames: int) -> Window | None:
    """The frames to make anew at the seam of two clips, and those to give; None when the clips are too short.

    middle: frames to make anew at most, a multiple of 4.  native_frames: the longest clip of the model.
    Half of each clip is left to the seam at its other end.
    """
    for made in range(middle, LEAST_MIDDLE - 1, -LATENT_STRIDE):
        half = made // 2
        if min(before.intervals, clip.intervals) < made:
            continue
        left = min(CONTEXT, before.last - half - 1) // LATENT_STRIDE
        right = min(CONTEXT, clip.intervals + 1 - half) // LATENT_STRIDE
        most = (native_frames - 1 - made) // LATENT_STRIDE
        right = min(right, max(most - left, most // 2))
        left = min(left, most - right)
        if min(left, right) >= 1:
            return Window(LATENT_STRIDE * left + 1, made, LATENT_STRIDE * right)
    return None
