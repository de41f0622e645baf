"""Counting of steps and the estimate of the time that is left."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import pytest

from wan_engine.plan.model import Clip, Plan
from wan_engine.render.events import Event
from wan_engine.render.progress import Progress

CLIP = Clip(
    index=0,
    start=0,
    end=16,
    mode="t2v",
    frames=17,
    intervals=16,
    arrives=16,
    prompt="a",
    negative="",
    seed=1,
    steps=4,
    guidance_scale=1.0,
    guidance_scale_2=None,
    sampler="unipc",
    continuity="cut",
    chain=0,
    flow_shift=3.0,
)


@pytest.fixture
def plan() -> Plan:
    clips = (CLIP, replace(CLIP, index=1, start=16, end=32, arrives=32, chain=1))
    return Plan(
        fps=Fraction(16),
        model_fps=Fraction(16),
        frames=32,
        width=64,
        height=64,
        resample="blend",
        image_fit="cover",
        clips=clips,
    )


def test_steps_are_counted_over_the_whole_film(plan: Plan) -> None:
    events: list[Event] = []
    progress = Progress(plan, events.append)
    progress.clip_reused(plan.clips[0])
    progress.clip_started(plan.clips[1], steps_done=2)
    progress.step_done(plan.clips[1], 3, None)
    assert [(event.kind, event.steps_done, event.steps_total) for event in events] == [
        ("clip_done", 4, 8),
        ("clip_started", 6, 8),
        ("step", 7, 8),
    ]


def test_the_estimate_follows_the_measured_steps(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = Progress(plan, lambda event: None)
    progress.clip_started(plan.clips[0], 0)
    assert progress.seconds_left() is None
    for step in range(1, 5):
        now[0] += 2.0
        progress.step_done(plan.clips[0], step, None)
    assert progress.seconds_left() == pytest.approx(4 * 2.0)
    now[0] += 3.0
    progress.clip_done(plan.clips[0])
    assert progress.seconds_left() == pytest.approx(4 * 2.0 + 3.0)


def test_previews_are_asked_for_now_and_then(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = Progress(plan, lambda event: None)
    assert progress.wants_preview()
    assert not progress.wants_preview()
    now[0] += 10.0
    assert progress.wants_preview()
