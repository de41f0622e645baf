"""Leads one clip over into the next along their motion, so that nothing is seen twice on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.media.flow import between, fetched, flow_between
from wan_engine.seams.steps import changed

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

_SAME = 24
"""Levels of 255 by which a moved pixel may be off and still be a pixel of the same thing."""


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


def settled(last: Picture, own: Picture, following: Iterator[Picture], frames: int) -> Iterator[Picture]:
    """The pictures that follow in a clip; what it makes otherwise than the clip before comes in over so many of them.

    last: the picture shown before them, the clip before made it.  own: the same moment as this clip made it.
    What `own` lacks of `last` is laid over each picture, less from one to the next, moved along with what it lies on
    and left out where something else is seen. So only faults are mixed, and no two pictures: what moves stays sharp.
    """
    lacking = last.astype(np.float32) - own
    for number, picture in enumerate(islice(following, frames), 1):
        flow = flow_between(picture, own) * changed(picture, own)[..., None]
        off = np.abs(fetched(own, flow).astype(np.float32) - picture).max(axis=2, keepdims=True)
        share = (1 - number / (frames + 1)) * np.clip(1 - off / _SAME, 0, 1)
        yield np.clip(np.rint(picture + share * fetched(lacking, flow)), 0, 255).astype(np.uint8)
    yield from following
