"""Renders one chain: clip after clip, each from the end of the one before, kept on disk step by step."""

from __future__ import annotations

from collections.abc import Sequence

from wan_engine.plan.model import Clip
from wan_engine.render.clip import ChainJob as ChainJob
from wan_engine.render.takes import render_best


def render_chain(job: ChainJob, clips: Sequence[Clip]) -> None:
    """Render the clips of one chain in order; clips already there with the same inputs are kept.

    Raises Cancelled within a step of the wish, with the clip's state on disk.
    """
    before: Clip | None = None
    for clip in clips:
        render_best(job, job.request_for(job, clip, before))
        job.clip_ready(clip)
        before = clip
