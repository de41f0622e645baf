"""Renders one chain: clip after clip, each from the end of the one before, kept on disk step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.backends import Backend, ClipRequest, ClipRun
from wan_engine.errors import Cancelled
from wan_engine.media.pictures import fit_picture, read_picture
from wan_engine.media.probe import last_frame
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import CancelCheck
from wan_engine.render.progress import Progress
from wan_engine.render.state_writer import StateWriter

if TYPE_CHECKING:
    from wan_engine.backends import Picture


@dataclass(frozen=True)
class ChainJob:
    """What rendering a chain needs.

    clip_ready: called with each clip when its frames are on disk, in the chain's order, new or kept from before.
    """

    plan: Plan
    backend: Backend
    store: ClipStore
    progress: Progress
    cancelled: CancelCheck
    clip_ready: Callable[[Clip], None] = field(default=lambda clip: None)


def render_chain(job: ChainJob, clips: Sequence[Clip]) -> None:
    """Render the clips of one chain in order; clips already there with the same inputs are kept.

    Raises Cancelled within a step of the wish, with the clip's state on disk.
    """
    before: Clip | None = None
    for clip in clips:
        _stop_if_cancelled(job)
        request = _request(job, clip, before)
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
    run = job.backend.start(request, state)
    job.progress.clip_started(clip, run.steps_done)
    with StateWriter(lambda state: job.store.save_state(clip, inputs, state)) as states:
        while run.steps_done < clip.steps:
            _stop_if_cancelled(job)
            run.step()
            states.put(run.state())
            preview = run.preview() if job.progress.wants_preview() else None
            job.progress.step_done(clip, run.steps_done, preview)
    job.progress.say("decoding", clip)
    _write_frames(job, clip, run)
    job.store.record(clip, inputs)
    job.progress.clip_done(clip)


def _write_frames(job: ChainJob, clip: Clip, run: ClipRun) -> None:
    """Keep model frames 0 .. intervals; what the model makes beyond them belongs to no film frame."""
    with job.store.writer(clip) as writer:
        for number, frame in enumerate(run.frames()):
            _stop_if_cancelled(job)
            if number <= clip.intervals:
                writer.write(frame)


def _request(job: ChainJob, clip: Clip, before: Clip | None) -> ClipRequest:
    start = _given_start(job.plan, clip)
    if clip.continuity == "last_frame" and before is not None:
        start = job.store.hand_over(before)
    return ClipRequest(clip, job.plan.width, job.plan.height, start, _given_end(job.plan, clip))


def check_pictures(plan: Plan) -> None:
    """Open every picture and film the clips start from or arrive at. Raises MediaError."""
    for clip in plan.clips:
        _given_start(plan, clip)
        _given_end(plan, clip)


def _given_start(plan: Plan, clip: Clip) -> Picture | None:
    if clip.start_image:
        return read_picture(Path(clip.start_image), plan.width, plan.height, plan.image_fit)
    if clip.init_video:
        return fit_picture(last_frame(Path(clip.init_video)), plan.width, plan.height, plan.image_fit)
    return None


def _given_end(plan: Plan, clip: Clip) -> Picture | None:
    if not clip.end_image:
        return None
    return read_picture(Path(clip.end_image), plan.width, plan.height, plan.image_fit)


def _stop_if_cancelled(job: ChainJob) -> None:
    if job.cancelled():
        raise Cancelled("the render was stopped", "What is finished is kept; resume it to go on")
