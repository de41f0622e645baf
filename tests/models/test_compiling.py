"""Blocks are compiled where that pays for the steps planned, and the reason is said."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from samples import make_clip
from wan_engine.models.compiling import MOST_LENGTHS, choose_compiling, kept_compiling
from wan_engine.models.memory.needs import Clip, Weights
from wan_engine.models.memory.profiles import FAST, LOW
from wan_engine.models.speed import step_operations
from wan_engine.plan.model import ClipLora


def clips_of(*frames: int, steps: int = 50, **more: Any) -> list[Any]:
    return [make_clip(index=index, frames=each, steps=steps, **more) for index, each in enumerate(frames)]


def seconds(each: float) -> Callable[[int], float]:
    return lambda frames: each


@pytest.fixture
def triton(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def test_it_is_done_where_it_saves_more_than_it_takes(triton: None) -> None:
    clips = clips_of(81, 81, 33, guidance_scale=5.0)
    made = choose_compiling("auto", "cuda:0", FAST, clips, seconds(2.5))
    assert made.frames == (81,)
    assert "on: it saves about 75 s, less about 40 s of compiling" in made.reason
    # Without guidance a step is one forward.
    none = choose_compiling("auto", "cuda:0", FAST, clips_of(81, 81, guidance_scale=1.0), seconds(2.5))
    assert none.frames == ()
    assert none.reason == "off: it would save about 38 s and take about 40 s of compiling for each length of clip"


def test_what_is_set_holds() -> None:
    clips = clips_of(81, 17, steps=2)
    assert choose_compiling("off", "cuda:0", FAST, clips, seconds(1e6)).frames == ()
    assert choose_compiling("on", "cpu", FAST, clips, seconds(0)).frames == (17, 81)
    many = clips_of(*range(5, 85, 4))
    assert len(choose_compiling("on", "cpu", FAST, many, seconds(0)).frames) == MOST_LENGTHS


def test_unasked_it_is_not_done_where_it_cannot_gain(triton: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "only CUDA" in choose_compiling("auto", "cpu", FAST, clips_of(81), seconds(1e6)).reason
    weights = (ClipLora("ink", "/loras/ink.safetensors", 0.5), ClipLora("ink", "/loras/ink.safetensors", 0.6))
    changing = [make_clip(index=index, steps=50, loras=(lora,)) for index, lora in enumerate(weights)]
    assert "never measured" in choose_compiling("auto", "cuda:0", LOW, clips_of(81), seconds(1e6)).reason
    assert choose_compiling("on", "cuda:0", LOW, clips_of(81), seconds(0)).frames == (81,)
    assert "different LoRAs" in choose_compiling("auto", "cuda:0", FAST, changing, seconds(1e6)).reason
    assert choose_compiling("auto", "cuda:0", FAST, changing[:1], seconds(1e6)).frames
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "triton" in choose_compiling("auto", "cuda:0", FAST, clips_of(81), seconds(1e6)).reason


def test_a_film_that_goes_on_keeps_what_was_decided() -> None:
    kept = kept_compiling([81, 49], clips_of(81, 17))
    assert kept is not None
    assert kept.frames == (81,)
    assert kept_compiling(None, clips_of(81)) is None
    assert kept_compiling(["81"], clips_of(81)) is None


def test_a_step_is_as_much_work_as_counted_by_hand() -> None:
    """Wan 2.1 T2V 1.3B at 832x480x81: 82 TFLOP in linear layers and 201 in attention."""
    weights = Weights((2_840_000_000,), 1, 1, 1, 1, 1, 0, 1536, 8960, 30, 8, 1.0)
    assert step_operations(weights, Clip(832, 480, 81)) / 1e12 == pytest.approx(283, rel=0.02)
