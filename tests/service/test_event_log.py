"""Events are numbered, read from a number on, and bounded; steps go first."""

from __future__ import annotations

import pytest

from service_samples import Clock, job
from wan_engine.service import event_log
from wan_engine.service.records import Progress
from wan_engine.service.store import JobStore


def test_events_are_numbered_and_read_from_a_number_on(store: JobStore, clock: Clock) -> None:
    added = store.add(job())
    store.claim("w", "cpu", 15)
    store.record(added.id, "w", Progress(kind="started", message="/films/1"))
    assert store.append_event(added.id, "note", "said") == 4
    started = store.events(added.id, after=2, limit=1)[0]
    assert (started.number, started.kind, started.message, started.time) == (3, "started", "/films/1", clock())
    assert started.data["steps_total"] == 0
    assert "kind" not in started.data
    assert [event.number for event in store.events(added.id, after=3)] == [4]
    assert store.events(added.id, after=4) == []
    assert store.append_event("unknown", "note", "") == 0


def test_the_oldest_steps_go_first(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "MOST_EVENTS", 40)
    added = store.add(job())
    store.claim("w", "cpu", 15)
    for number in range(200):
        store.record(added.id, "w", Progress(kind="step" if number % 10 else "clip_done", step=number))
    events = store.events(added.id)
    assert len(events) <= 40 + 64
    assert [event.data["step"] for event in events if event.kind == "clip_done"] == list(range(0, 200, 10))
    steps = [event.number for event in events if event.kind == "step"]
    assert steps == sorted(steps)
    assert events[-1].data["step"] == 199
    for number in range(300):
        store.append_event(added.id, "note", str(number))
    events = store.events(added.id)
    assert len(events) <= 40 + 64
    assert (events[-1].message, events[-1].number) == ("299", 502)
