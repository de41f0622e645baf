"""Where a film stands: steps done and the seconds that are left, told as events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wan_engine.plan.model import Clip, Plan
from wan_engine.render.events import Event, Report

if TYPE_CHECKING:
    from wan_engine.backends import Picture
    from wan_engine.models.attempts import Attempt

PREVIEW_SECONDS = 4.0
"""Least time between previews: each costs a small decode, and nobody looks more often."""


class Progress:
    """Counts a film's steps and clips and reports them.

    The estimate is the mean time of what was done in this run: a step costs what steps cost so far, the rest of a clip
    (loading its text, decoding, writing) what it cost so far a clip. Clips that were there already cost nothing.
    """

    def __init__(self, plan: Plan, report: Report) -> None:
        self._plan = plan
        self._steps_total = plan.total_steps
        self._clips_total = len(plan.clips)
        self._report = report
        self._steps_done = 0
        self._steps_run = 0
        self._step_seconds = 0.0
        self._clips_done = 0
        self._clips_run = 0
        self._other_seconds = 0.0
        self._mark = time.monotonic()
        self._last_preview = 0.0

    def say(self, kind: str, clip: Clip | None = None, message: str = "") -> None:
        """Report a moment that is no step."""
        self._send(kind, clip, message=message)

    def tried(self, attempt: Attempt) -> None:
        """Report what was tried, which is about no clip alone."""
        self._report(Event("tried", str(attempt), attempt=attempt))

    def one_more(self, clip: Clip) -> None:
        """A clip is asked for that the plan does not count: one that is rendered again, or that mends a seam."""
        self._steps_total += clip.steps
        self._clips_total += 1

    def clip_reused(self, clip: Clip) -> None:
        """A clip of an earlier run is used as it is."""
        self._steps_done += clip.steps
        self._clips_done += 1
        self._send("clip_done", clip, step=clip.steps, message="kept from before")
        self._mark = time.monotonic()

    def clip_started(self, clip: Clip, steps_done: int) -> None:
        """A clip begins, at a step above 0 if it goes on from a saved state."""
        self._steps_done += steps_done
        self._send(
            "clip_started", clip, step=steps_done, message=f"goes on from step {steps_done}" if steps_done else ""
        )
        self._mark = time.monotonic()

    def step_done(self, clip: Clip, step: int, preview: Picture | None) -> None:
        """One more step of the clip is done."""
        self._step_seconds += self._lap()
        self._steps_done += 1
        self._steps_run += 1
        self._send("step", clip, step=step, preview=preview)

    def clip_done(self, clip: Clip) -> None:
        """The clip is decoded and on disk."""
        self._other_seconds += self._lap()
        self._clips_done += 1
        self._clips_run += 1
        self._send("clip_done", clip, step=clip.steps)

    def wants_preview(self) -> bool:
        """Whether it is time for another preview."""
        now = time.monotonic()
        if now - self._last_preview < PREVIEW_SECONDS:
            return False
        self._last_preview = now
        return True

    def _lap(self) -> float:
        now = time.monotonic()
        seconds, self._mark = now - self._mark, now
        return seconds

    def seconds_left(self) -> float | None:
        """Estimate for the rest of the film in seconds; None before the first step."""
        if not self._steps_run:
            return None
        steps = (self._steps_total - self._steps_done) * self._step_seconds / self._steps_run
        clips_left = self._clips_total - self._clips_done
        return steps + (clips_left * self._other_seconds / self._clips_run if self._clips_run else 0.0)

    def _send(
        self, kind: str, clip: Clip | None, step: int = 0, message: str = "", preview: Picture | None = None
    ) -> None:
        self._report(
            Event(
                kind=kind,
                message=message,
                clip=clip.index if clip else 0,
                clips=len(self._plan.clips),
                step=step,
                steps=clip.steps if clip else 0,
                steps_done=self._steps_done,
                steps_total=self._steps_total,
                seconds_left=self.seconds_left(),
                preview=preview,
            )
        )
