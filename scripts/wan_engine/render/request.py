"""What is asked of the backend for each clip of a film: the pictures it starts from and arrives at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.backends import ClipRequest
from wan_engine.backends.control import FILL, KEEP, Control, ControlFrame
from wan_engine.media.pictures import fit_note, fit_picture, picture_size, read_picture
from wan_engine.media.probe import last_frame, probe
from wan_engine.plan.model import Clip, Plan

if TYPE_CHECKING:
    from wan_engine.backends import Picture
    from wan_engine.render.clip import ChainJob


def film_request(job: ChainJob, clip: Clip, before: Clip | None) -> ClipRequest:
    """A clip that starts from what its plan names and from the end of the clip before, as its continuity says."""
    start = _given_start(job.plan, clip)
    beginning: tuple[Picture, ...] = ()
    if clip.continuity == "last_frame" and before is not None:
        start = job.store.hand_over(before)
    elif clip.continuity == "overlap" and before is not None:
        beginning = job.store.last_frames(before, clip.overlap)
    end = _film_start(job, clip, start) if clip.loops else _given_end(job.plan, clip)
    if clip.pictures:
        known = dict(enumerate(beginning if start is None else (start,)))
        known |= {clip.first + inside.interval: _read(job.plan, inside.image) for inside in clip.pictures}
        known |= {} if end is None else {clip.last: end}
        return ClipRequest(clip, job.plan.width, job.plan.height, control=_passing(job.plan, clip, known))
    return ClipRequest(clip, job.plan.width, job.plan.height, start, end, beginning)


def _passing(plan: Plan, clip: Clip, known: dict[int, Picture]) -> Control:
    """What VACE is shown of a clip of which single frames are known, by their number."""
    empty = np.zeros((plan.height, plan.width, 3), np.uint8)

    def frame(number: int) -> ControlFrame:
        mask = np.full(empty.shape[:2], KEEP if number in known else FILL, np.uint8)
        return ControlFrame(known.get(number, empty), mask)

    return Control(lambda: map(frame, range(clip.frames)))


def picture_notes(plan: Plan) -> tuple[str, ...]:
    """What fitting does to the pictures and films the clips start from or arrive at, for the plan's notes.

    Opens each, so one that cannot be used is found before a step is spent. Raises MediaError.
    """
    sizes: dict[str, tuple[int, int]] = {}
    for clip in plan.clips:
        inside = [picture.image for picture in clip.pictures]
        for path in filter(None, (clip.start_image, *inside, clip.end_image)):
            _read(plan, path)
            sizes[path] = picture_size(Path(path))
        if clip.init_video:
            video = probe(Path(clip.init_video))
            sizes[clip.init_video] = (video.width, video.height)
    fits = {path: fit_note(size, plan.width, plan.height, plan.image_fit) for path, size in sizes.items()}
    return tuple(f"{Path(path).name}: {fit}" for path, fit in fits.items() if fit)


def _given_start(plan: Plan, clip: Clip) -> Picture | None:
    if clip.start_image:
        return _read(plan, clip.start_image)
    if clip.init_video:
        return fit_picture(last_frame(Path(clip.init_video)), plan.width, plan.height, plan.image_fit)
    return None


def _film_start(job: ChainJob, clip: Clip, own_start: Picture | None) -> Picture | None:
    """The film's first frame, as it was rendered; a film of one clip begins with the clip's own start."""
    return own_start if clip.index == 0 else job.store.first_frame(job.plan.clips[0])


def _given_end(plan: Plan, clip: Clip) -> Picture | None:
    return _read(plan, clip.end_image) if clip.end_image else None


def _read(plan: Plan, path: str) -> Picture:
    return read_picture(Path(path), plan.width, plan.height, plan.image_fit)
