"""Renders one clip: denoising step by step, kept on disk after each, and written when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from wan_engine.backends import Backend, ClipRequest, ClipRun
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.coloured import coloured
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.render.progress import Progress
from wan_engine.render.request import film_request
from wan_engine.render.seam_work import SeamWork
from wan_engine.render.state_writer import StateWriter
from wan_engine.seams.colour import Colours


@dataclass(frozen=True)
class ChainJob:
    """What rendering a chain needs.

    clip_ready: called with each clip when its frames are on disk, in the chain's order, new or kept from before.
    request_for: what is asked of the backend for a clip behind another; a film's own clips unless told.
    seams: what was tried for the film's seams, and how much may still be.  colours: of clips' files, as far as known.
    """

    plan: Plan
    backend: Backend
    store: ClipStore
    progress: Progress
    cancelled: CancelCheck
    clip_ready: Callable[[Clip], None] = field(default=lambda clip: None)
    request_for: Callable[[ChainJob, Clip, Clip | None], ClipRequest] = film_request
    seams: SeamWork = field(default_factory=SeamWork)
    colours: dict[Path, Colours] = field(default_factory=dict)

    def stop_if_cancelled(self) -> None:
        """Raise Cancelled when the user wants the work to stop."""
        if self.cancelled():
            raise stopped()


def render_clip(job: ChainJob, request: ClipRequest, store: ClipStore) -> None:
    """Render a clip into a store; one that is there with the same inputs is kept.

    Raises Cancelled within a step of the wish, with the clip's state on disk.
    """
    job.stop_if_cancelled()
    inputs = store.inputs_hash(request)
    if store.is_finished(request.clip, inputs):
        job.progress.clip_reused(request.clip)
    else:
        _render(job, request, store, inputs)


def _render(job: ChainJob, request: ClipRequest, store: ClipStore, inputs: str) -> None:
    clip = request.clip
    state = store.load_state(clip, inputs)
    job.progress.say("loading", clip)
    try:
        run = job.backend.start(request, state)
    finally:
        for attempt in job.backend.attempts():
            job.progress.tried(attempt)
    job.progress.clip_started(clip, run.steps_done)
    with StateWriter(lambda state: store.save_state(clip, inputs, state)) as states:
        while run.steps_done < clip.steps:
            job.stop_if_cancelled()
            run.step()
            states.put(run.state())
            preview = run.preview() if job.progress.wants_preview() else None
            job.progress.step_done(clip, run.steps_done, preview)
    job.progress.say("decoding", clip)
    _write_frames(job, request, run, store)
    store.record(clip, inputs)
    job.progress.clip_done(clip)


def _write_frames(job: ChainJob, request: ClipRequest, run: ClipRun, store: ClipStore) -> None:
    """Keep the model frames up to the one that is handed over; those beyond it belong to no film frame."""
    clip = request.clip
    frames = coloured(job, request, store, islice(run.frames(), clip.last + 1))
    with store.writer(clip) as writer:
        for frame in frames:
            job.stop_if_cancelled()
            writer.write(frame)
