"""Renders one chain: clip after clip, each from the end of the one before, kept on disk step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.backends import Backend, ClipRequest, ClipRun
from wan_engine.media.pictures import fit_note, fit_picture, picture_size, read_picture
from wan_engine.media.probe import last_frame, probe
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.render.progress import Progress
from wan_engine.render.state_writer import StateWriter
from wan_engine.seams.colour import corrected, learn

if TYPE_CHECKING:
    from wan_engine.backends import Picture


@dataclass(frozen=True)
class ChainJob:
    """What rendering a chain needs.

    clip_ready: called with each clip when its frames are on disk, in the chain's order, new or kept from before.
    request_for: what is asked of the backend for a clip behind another; a film's own clips unless told.
    """

    plan: Plan
    backend: Backend
    store: ClipStore
    progress: Progress
    cancelled: CancelCheck
    clip_ready: Callable[[Clip], None] = field(default=lambda clip: None)
    request_for: Callable[[ChainJob, Clip, Clip | None], ClipRequest] = field(
        default=lambda job, clip, before: film_request(job, clip, before)
    )


def render_chain(job: ChainJob, clips: Sequence[Clip]) -> None:
    """Render the clips of one chain in order; clips already there with the same inputs are kept.

    Raises Cancelled within a step of the wish, with the clip's state on disk.
    """
    before: Clip | None = None
    for clip in clips:
        _stop_if_cancelled(job)
        request = job.request_for(job, clip, before)
        inputs = job.store.inputs_hash(request)
        if job.store.is_finished(clip, inputs):
            job.progress.clip_reused(clip)
        else:
            _render_clip(job, request, inputs)
        job.clip_ready(clip)
        before = clip


def _render_clip(job: ChainJob, request: ClipRequest, inputs: str) -> None:
    clip = request.clip
    state = job.store.load_state(clip, inputs)
    job.progress.say("loading", clip)
    try:
        run = job.backend.start(request, state)
    finally:
        for attempt in job.backend.attempts():
            job.progress.tried(attempt)
    job.progress.clip_started(clip, run.steps_done)
    with StateWriter(lambda state: job.store.save_state(clip, inputs, state)) as states:
        while run.steps_done < clip.steps:
            _stop_if_cancelled(job)
            run.step()
            states.put(run.state())
            preview = run.preview() if job.progress.wants_preview() else None
            job.progress.step_done(clip, run.steps_done, preview)
    job.progress.say("decoding", clip)
    _write_frames(job, request, run)
    job.store.record(clip, inputs)
    job.progress.clip_done(clip)


def _write_frames(job: ChainJob, request: ClipRequest, run: ClipRun) -> None:
    """Keep the model frames up to the one that is handed over; those beyond it belong to no film frame."""
    clip = request.clip
    frames = run.frames()
    if clip.hold_colour:
        frames = _with_colour_held(job, request, frames)
    with job.store.writer(clip) as writer:
        for number, frame in enumerate(frames):
            _stop_if_cancelled(job)
            if number <= clip.last:
                writer.write(frame)


def _with_colour_held(job: ChainJob, request: ClipRequest, frames: Iterator[Picture]) -> Iterator[Picture]:
    """The frames with the colours of the clip before, as far as the frames that both have tell them."""
    known = request.beginning or ((request.start_image,) if request.start_image is not None else ())
    first = list(islice(frames, len(known)))
    correction = learn(known[: len(first)], first)
    if correction.does_something:
        job.progress.say("note", request.clip, f"Colour of clip {request.clip.index + 1} held: {correction.words()}")
    for frame in chain(first, frames):
        yield corrected(frame, correction)


def film_request(job: ChainJob, clip: Clip, before: Clip | None) -> ClipRequest:
    """A clip that starts from what its plan names and from the end of the clip before, as its continuity says."""
    start = _given_start(job.plan, clip)
    beginning: tuple[Picture, ...] = ()
    if clip.continuity == "last_frame" and before is not None:
        start = job.store.hand_over(before)
    elif clip.continuity == "overlap" and before is not None:
        beginning = job.store.last_frames(before, clip.overlap)
    end = _film_start(job, clip, start) if clip.loops else _given_end(job.plan, clip)
    return ClipRequest(clip, job.plan.width, job.plan.height, start, end, beginning)


def picture_notes(plan: Plan) -> tuple[str, ...]:
    """What fitting does to the pictures and films the clips start from or arrive at, for the plan's notes.

    Opens each, so one that cannot be used is found before a step is spent. Raises MediaError.
    """
    sizes: dict[str, tuple[int, int]] = {}
    for clip in plan.clips:
        for path in filter(None, (clip.start_image, clip.end_image)):
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


def _stop_if_cancelled(job: ChainJob) -> None:
    if job.cancelled():
        raise stopped()
