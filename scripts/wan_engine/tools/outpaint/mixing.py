"""Puts finished frames together: the known pixels untouched, what was made beside them, a feather between both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wan_engine.media.pictures import resized
from wan_engine.tools.outpaint.geometry import Layout

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture
    from wan_engine.tools.outpaint.regions import Share


def finished_frame(layout: Layout, source: Picture, made: Picture, share: Share) -> Picture:
    """The film's frame. source: in its own size.  made: what the model made of it, in its size."""
    used = made[: layout.used_height, : layout.used_width]
    base = resized(used, layout.width, layout.height)
    known = resized(source, layout.kept.width, layout.kept.height)
    return _mixed(base, known, layout.kept.part(), share.kept)


def known_frame(layout: Layout, source: Picture, made: Picture, share: Share) -> Picture:
    """The same at the model's size, for the chunk that goes on from it."""
    known = resized(source, layout.work_kept.width, layout.work_kept.height)
    return _mixed(made, known, layout.work_kept.part(), share.work_kept)


def _mixed(made: Picture, known: Picture, place: tuple[slice, slice], kept: Any) -> Picture:
    """What was made, with the known picture in its place. kept: share of the known one; 1 leaves its very bytes."""
    mixed = np.array(made)
    share = kept[place]
    under = mixed[place]
    both = known * share + under * (1 - share)
    mixed[place] = np.where(share >= 1, known, np.clip(np.rint(both), 0, 255).astype(np.uint8))
    return mixed
