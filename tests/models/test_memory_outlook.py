"""Before anything is loaded, the memory of each profile is told, and the profile that the driver's figures allow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from samples import make_clip, make_plan
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.models.lineup import lineup
from wan_engine.models.memory import cards, outlook
from wan_engine.models.memory.cards import Card, nvidia_cards, seen_by_cuda
from wan_engine.models.memory.measure import measure
from wan_engine.models.memory.needs import Weights
from wan_engine.models.memory.outlook import look_ahead
from wan_engine.settings import Settings
from wan_engine.tiny import WEIGHTS

GB = 10**9
LARGE = Weights(
    (28_600_000_000,), 700_000_000, 600_000_000, 11_400_000_000, 2_100_000_000, 508_000_000, 0, 5120, 13824, 40, 8, 1.0
)
"""The 14B model of Wan 2.1."""
PLAN = make_plan(make_clip(frames=81, intervals=80, end=80, arrives=80), width=832, height=480)
TWO = (Card(0, "GPU-a", "Small", 11 * GB, 12 * GB), Card(1, "GPU-b", "Large", 70 * GB, 80 * GB))

Driver = Callable[[str], None]


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """Sets what `nvidia-smi` prints, a stand-in that speaks its documented CSV; torch is one with CUDA."""
    if os.name == "nt":
        pytest.skip("the stand-in is a shell script")

    def says(lines: str, ends: int = 0) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\nexit {ends}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        cards._asked_at.cache_clear()

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(outlook, "version", lambda name: "2.13.0+cu130")
    monkeypatch.setattr(outlook, "main_memory", lambda: (60 * GB, 64 * GB))
    yield says
    cards._asked_at.cache_clear()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Lineup:
    """A 14B model, of which only the sizes are asked."""
    monkeypatch.setattr(outlook, "_weights", lambda *_: LARGE)
    return Lineup({"t2v": ModelCard("14B", FAMILIES["wan2.1-t2v-14b"], frozenset({"t2v"}))})


def test_the_profile_that_fits_is_told_with_the_figures(driver: Driver, large: Lineup) -> None:
    driver("0, GPU-a, NVIDIA RTX 3060, 11000, 12288")
    told = look_ahead(Settings(), PLAN, large)
    assert (told.device, told.profile) == ("NVIDIA RTX 3060", "low")
    assert told.words().startswith(
        "profile low on NVIDIA RTX 3060: about 9.5 GB of 11.5 GB free on the GPU, 31.1 GB of 60"
    )
    assert told.needs["fast"].device > 40 * GB > told.needs["low"].device
    assert told.as_dict()["profiles"]["low"]["device_bytes"] == told.needs["low"].device
    asked = look_ahead(Settings(memory_profile="balanced"), PLAN, large)
    assert (asked.profile, asked.reason.partition(";")[0]) == ("balanced", "as set")
    driver("0, GPU-a, NVIDIA H200, 140000, 143771")
    assert look_ahead(Settings(), PLAN, large).profile == "fast"


@pytest.mark.parametrize("answer", ["", "no devices were found", "0, GPU-a, Card, [N/A], [N/A]"])
def test_where_nothing_tells_the_memory_each_profiles_need_is_told(driver: Driver, large: Lineup, answer: str) -> None:
    driver(answer)
    told = look_ahead(Settings(), PLAN, large)
    assert (told.device, told.profile) == ("", "")
    assert told.words().startswith("of the GPU's, by profile: fast ")
    assert told.words().endswith("which one is taken is decided before loading")
    assert look_ahead(Settings(device="mps"), PLAN, large).profile == ""


def test_cards_are_counted_as_cuda_counts_them(driver: Driver, large: Lineup) -> None:
    driver("0, GPU-a, Small, 11000, 12288\n1, GPU-b, Large, 70000, 81559")
    assert [card.name for card in nvidia_cards()] == ["Small", "Large"]
    assert look_ahead(Settings(device="cuda:1"), PLAN, large).device == "Large"
    assert look_ahead(Settings(device="cuda:2"), PLAN, large).device == ""
    assert seen_by_cuda(TWO, {}) == TWO
    assert seen_by_cuda(TWO, {"CUDA_VISIBLE_DEVICES": "1"}) == TWO[1:]
    assert seen_by_cuda(TWO, {"CUDA_VISIBLE_DEVICES": "GPU-b,0"}) == TWO[::-1]
    assert seen_by_cuda(TWO, {"CUDA_VISIBLE_DEVICES": ""}) == ()


def test_a_driver_that_fails_is_no_card(driver: Driver) -> None:
    driver("0, GPU-a, Small, 11000, 12288", ends=9)
    assert nvidia_cards() == ()


def test_on_the_cpu_it_is_main_memory(large: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "version", lambda name: "2.13.0+cpu")
    told = look_ahead(Settings(), PLAN, large)
    assert told.words().startswith("profile fast: on the CPU all is in main memory, about ")


def test_the_embedded_model_is_weighed_by_its_headers() -> None:
    plan = replace(PLAN, width=64, height=64)
    settings = Settings(device="cpu")
    small = look_ahead(settings, plan, lineup(settings, WEIGHTS))
    free = measure("cpu").ram_total
    assert 10**7 < small.needs["fast"].device < free
