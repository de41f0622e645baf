"""Measures a seam on the finished clips beside it, before the film is encoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from wan_engine.media.timing import resample
from wan_engine.plan.model import Clip
from wan_engine.plan.seam import Seam
from wan_engine.render.clip_store import ClipStore
from wan_engine.seams.meter import REACH, measure

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


def film_frames(store: ClipStore, clip: Clip, start: int, end: int) -> Iterator[Picture]:
    """The film frames `start` to `end`, exclusive, of those a finished clip owns: at the times the plan gives."""
    times = [clip.model_time(frame) for frame in range(start, end)]
    return resample(store.frames(clip), times, store.plan.resample)


def seam_at(store: ClipStore, frame: int) -> Seam | None:
    """The film's seam at this frame, with the figures it will have in the film; None where no step lies beside it.

    `drift` is left to who sees the whole film.
    """
    before, clip = store.plan.beside(frame)
    first = max(before.start, before.end - REACH - 1)
    ahead = film_frames(store, before, first, before.end)
    behind = film_frames(store, clip, clip.start, min(clip.end, clip.start + REACH + 1))
    join = store.plan.joins()[frame]
    # Here the first frames of a film that loops really follow its last one.
    found = measure(chain(ahead, behind), {before.end - first: replace(join, kind=join.kind.replace("loop", ""))})
    return replace(found[0], frame=frame, kind=join.kind, drift=None) if found else None
