"""A render's events become lines at a sane rate, or bars in a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from recording_screen import RecordingScreen
from wan_engine.cli import progress
from wan_engine.cli.progress import BarView, LineView, event_line, progress_view
from wan_engine.cli.stop import STOPPING
from wan_engine.plan.model import Plan
from wan_engine.render.events import Event


def event(kind: str, message: str = "", **values: Any) -> Event:
    return Event(kind, message, **{"clip": 1, "clips": 3, "steps": 4, "steps_total": 12, **values})


@pytest.mark.parametrize(
    ("moment", "line"),
    [
        (event("started", "/films/1"), "Output directory: /films/1"),
        (event("loading"), "Loading the model"),
        (event("clip_started"), "Clip 2 of 3 begins"),
        (event("clip_started", "goes on from step 2"), "Clip 2 of 3: goes on from step 2"),
        (event("step", step=3, seconds_left=61.2), "Clip 2 of 3: step 3 of 4, about 1 min 01 s left"),
        (event("decoding"), "Clip 2 of 3: decoding"),
        (event("clip_done"), "Clip 2 of 3 saved"),
        (event("clip_done", "kept from before"), "Clip 2 of 3 saved: kept from before"),
        (event("encoding"), "Writing the film"),
        (event("film_done", "/films/1/a.mp4"), "Finished: /films/1/a.mp4"),
        (event("note", "memory was returned"), "memory was returned"),
    ],
)
def test_each_moment_in_words(moment: Event, line: str) -> None:
    assert event_line(moment) == line


def test_lines_come_at_a_sane_rate(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = RecordingScreen(terminal=False)
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    with LineView(screen, plan) as view:
        for number in range(100):
            view.report(event("step", step=number, steps=100))
            clock[0] += 0.5
        view.report(event("clip_done"))
    lines = screen.text().splitlines()
    assert lines == [f"Clip 2 of 3: step {number} of 100" for number in range(10, 100, 10)] + ["Clip 2 of 3 saved"]


def test_loading_is_said_once(plan: Plan) -> None:
    screen = RecordingScreen(terminal=False)
    with LineView(screen, plan) as view:
        for clip in range(3):
            view.report(event("loading", clip=clip))
    assert screen.text() == "Loading the model\n"


def test_the_plan_follows_the_folder(plan: Plan) -> None:
    screen = RecordingScreen(terminal=False)
    with progress_view(screen, plan) as view:
        view.report(event("started", "/films/1"))
        view.report(event("film_done", "/films/1/[red].mp4"))
    lines = screen.text().splitlines()
    assert lines[0] == "Output directory: /films/1"
    assert lines[1].startswith("Model for")
    assert lines[-1] == "Finished: /films/1/[red].mp4"


def test_lines_hold_no_control_characters(plan: Plan) -> None:
    screen = RecordingScreen(terminal=False)
    with progress_view(screen, plan) as view:
        view.report(event("started", "/films/\x1b[31m1\r"))
        view.report(event("note", "a\x07"))
    assert all(char.isprintable() or char == "\n" for char in screen.text())


def test_a_terminal_gets_bars(plan: Plan) -> None:
    screen = RecordingScreen(terminal=True)
    view = progress_view(screen, plan)
    assert isinstance(view, BarView)
    with view:
        view.report(event("started", "/films/1"))
        view.report(event("step", step=2, steps_done=6, seconds_left=30.0))
        screen.wait_for("step 2 of 4")
        view.stopping()
        screen.wait_for(STOPPING)
        view.report(event("clip_done"))
    text = screen.shown()
    for words in ("step 2 of 4", "30 s left", "clip 2", STOPPING, "Clip 2 of 3 saved", "Output directory: /films/1"):
        assert words in text
    assert text.count("Clip 2 of 3 saved") == 1
