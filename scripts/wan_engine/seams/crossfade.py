"""Fades one clip into the next along their motion, so that nothing is seen twice while it fades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.media.flow import between, fetched, flow_between

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


def faded(ahead: Sequence[Picture], behind: Sequence[Picture]) -> list[Picture]:
    """Pictures that go from the first clip's to the second one's, of pairs that show the same times."""
    pairs = list(zip(ahead, behind, strict=True))
    return [between(one, other, number / (len(pairs) + 1)) for number, (one, other) in enumerate(pairs, 1)]


def carried(last: Picture, following: Sequence[Picture]) -> list[Picture]:
    """A clip's first pictures, with the last picture of the clip before in them: moved along, and faded out evenly.

    last: shows the same time as the first of them, and takes its place.
    """
    made = []
    for number, picture in enumerate(following):
        share = 1 - number / len(following)
        moved = fetched(last, flow_between(picture, following[0])) if number else last
        mixed = picture + share * (moved.astype(np.float32) - picture)
        made.append(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))
    return made
