"""A film that ran out of memory goes on, and when it is taken up again begins with the profile that worked."""

from __future__ import annotations

import weakref
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from wan_engine.backends.wan.run import WanRun
from wan_engine.errors import Cancelled, RenderError
from wan_engine.film import make_film, resume_film
from wan_engine.models import load
from wan_engine.plan.model import read_plan
from wan_engine.render.events import Event
from wan_engine.settings import Settings

SETTINGS = Settings(
    prompts={"0": "a red circle", "9": "a blue square"},
    max_frames=18,
    fps="16",
    width=32,
    height=32,
    steps="2",
    guidance_scale="0: (1)",
    seed=7,
    memory_profile="fast",
)


def never() -> bool:
    return False


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The memory is full in the first step; counts the steps that were tried."""
    tried: list[int] = []
    step = WanRun._step

    def filling(run: WanRun) -> bool:
        tried.append(1)
        if len(tried) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return step(run)

    monkeypatch.setattr(WanRun, "_step", filling)
    return tried


def test_a_film_that_is_taken_up_again_begins_with_the_profile_that_worked(tmp_path: Path, full: list[int]) -> None:
    settings = replace(SETTINGS, output_dir=str(tmp_path))
    said: list[Event] = []
    with pytest.raises(Cancelled):
        make_film(settings, said.append, lambda: len(full) > 1)
    (plan_file,) = tmp_path.rglob("*_plan.json")
    stopped = read_plan(plan_file).resolved
    assert stopped["memory_profile"] == "balanced"
    assert stopped["memory"] == "taken when the memory was full"
    again: list[Event] = []
    resume_film(plan_file.parent, again.append, never)
    ready = next(event.message for event in again if event.kind == "ready")
    assert "profile balanced: " in ready
    assert not any("ran out of memory" in event.message for event in again)
    assert read_plan(plan_file).resolved["memory_profile"] == "balanced"


def test_the_finished_plan_tells_the_profile_it_ended_with(tmp_path: Path, full: list[int]) -> None:
    settings = replace(SETTINGS, output_dir=str(tmp_path))
    made = make_film(settings, lambda event: None, never)
    assert read_plan(made.plan).resolved["memory_profile"] == "balanced"
    before = made.plan.stat().st_mtime_ns
    assert resume_film(made.folder, lambda event: None, never).is_there()
    assert made.plan.stat().st_mtime_ns == before  # it counts as finished


@pytest.mark.parametrize("ends", ["whole", "stopped", "failed"])
def test_when_it_says_released_no_network_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    """A WebUI takes the card back at that word: frames of the error that ended the film must hold nothing."""
    loaded: list[weakref.ref[torch.nn.Module]] = []
    left: list[list[bool]] = []
    steps: list[int] = []

    def watched(wanted: load.Wanted) -> torch.nn.Module:
        module = load_network(wanted)
        loaded.append(weakref.ref(module))
        return module

    def report(event: Event) -> None:
        if event.kind == "step":
            steps.append(1)
        if event.kind == "released":
            left.append([module() is not None for module in loaded])

    def broken(run: WanRun) -> bool:
        raise RuntimeError("the kernel failed")

    load_network = load.load_network
    monkeypatch.setattr(load, "load_network", watched)
    if ends == "failed":
        monkeypatch.setattr(WanRun, "_step", broken)
    with pytest.raises((Cancelled, RenderError)) if ends != "whole" else nullcontext():
        made = make_film(
            replace(SETTINGS, output_dir=str(tmp_path), max_frames=9), report, lambda: ends == "stopped" and bool(steps)
        )
        assert made.is_there()
    assert left == [[False] * len(loaded)]
    assert len(loaded) >= 2
