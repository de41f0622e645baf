"""Softens the joins of a film while its frames pass by: the few frames around each are mixed with their neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.media.flow import fetched, flow_between

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

REACH = 3
"""Frames on each side of a join that are softened."""


def smoothed(frames: Iterable[Picture], joins: Iterable[int], how: str) -> Iterator[Picture]:
    """The film's frames, as many as came, with those around the joins mixed one part, two parts, one part.

    joins: frames at which a new clip begins.  how: `temporal_filter` mixes the neighbours as they are, which blurs
    what moves; `optical_flow` moves them onto the frame first; `none` gives the frames back. Three frames are held.
    """
    soft = {frame for join in joins for frame in range(join - REACH, join + REACH)} if how != "none" else set()
    before: Picture | None = None
    current: Picture | None = None
    for number, after in enumerate(chain(frames, [None])):
        if current is not None:
            if number - 1 not in soft or before is None or after is None:
                yield current
            else:
                yield _mixed(before, current, after, how)
        before, current = current, after


def _mixed(before: Picture, current: Picture, after: Picture, how: str) -> Picture:
    if how == "optical_flow":
        before = fetched(before, flow_between(current, before))
        after = fetched(after, flow_between(current, after))
    total = before.astype(np.uint16) + 2 * current.astype(np.uint16) + after
    mixed: Picture = ((total + 2) // 4).astype(np.uint8)
    return mixed
