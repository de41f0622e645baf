"""A film that ran out of memory goes on, and when it is taken up again begins with the profile that worked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from wan_engine.backends.wan.run import WanRun
from wan_engine.errors import Cancelled
from wan_engine.film import make_film, resume_film
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
