"""Counting of steps and the estimate of the time that is left."""

from __future__ import annotations

import time

import pytest

from samples import make_clip, make_plan
from wan_engine.plan.model import Plan
from wan_engine.render.events import Event
from wan_engine.render.progress import Progress

CLIP = make_clip()


@pytest.fixture
def plan() -> Plan:
    return make_plan(CLIP, make_clip(index=1, start=16, end=32, arrives=32, chain=1))


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
