"""Needs are counted from headers, the first profile that fits is taken, and the machine's memory is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from untrained import Untrained, write_untrained
from wan_engine.families import Mode
from wan_engine.models.folder import open_folder
from wan_engine.models.memory.choose import choose
from wan_engine.models.memory.measure import Memory, main_memory, measure
from wan_engine.models.memory.needs import (
    _PATCHED,
    Clip,
    Needs,
    Weights,
    decoding_bytes,
    denoising_bytes,
    needs,
    weights_of,
)
from wan_engine.models.memory.profiles import BALANCED, FAST, LOW, MINIMAL, PROFILES, Profile, below, profile_of
from wan_engine.settings import SETTINGS

GB = 10**9
BIG = Weights((28 * GB,), GB, GB, 11 * GB, 2 * GB, GB, 0, 5120, 13824, 40, 8, 1.0)
"""About the 14B model of Wan 2.1, in round figures."""
USUAL = Clip(832, 480, 81)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_untrained(folder, Untrained(two_experts=True))
    return folder


def test_the_settings_offer_every_profile() -> None:
    assert SETTINGS["memory_profile"].choices == ("auto", *(profile.name for profile in PROFILES))
    assert [profile_of(profile.name) for profile in PROFILES] == list(PROFILES)
    assert (below(FAST), below(BALANCED), below(LOW), below(MINIMAL)) == (BALANCED, LOW, MINIMAL, None)


def test_weights_are_what_the_loaded_networks_take(tiny: Path) -> None:
    from diffusers import AutoencoderKLWan, WanTransformer3DModel
    from transformers import UMT5EncoderModel

    def size(network: torch.nn.Module) -> int:
        return sum(weight.numel() * 4 for weight in network.parameters())

    weights = weights_of([open_folder(tiny / "t2v")], "float32", on_cpu=True)
    first = WanTransformer3DModel.from_pretrained(tiny / "t2v" / "transformer")
    assert weights.transformers == (size(first), size(first))
    assert weights.block == max(size(block) for block in first.blocks)
    assert weights.rest == size(first) - sum(size(block) for block in first.blocks)
    assert weights.vae == size(AutoencoderKLWan.from_pretrained(tiny / "vae"))
    assert weights.text_encoder == size(UMT5EncoderModel.from_pretrained(tiny / "text_encoder"))


def test_what_models_share_counts_once_and_fp8_is_smaller(tiny: Path) -> None:
    both = [open_folder(tiny / "t2v"), open_folder(tiny / "i2v")]
    alone, together = (weights_of(sources, "bfloat16", on_cpu=False) for sources in (both[:1], both))
    assert (together.vae, together.text_encoder) == (alone.vae, alone.text_encoder)
    assert len(together.transformers) == 4
    packed = weights_of(both[:1], "bfloat16", on_cpu=False, fp8=True)
    assert alone.block / 2 <= packed.block < 0.6 * alone.block
    assert packed.vae == alone.vae


def test_the_estimates_are_near_what_was_measured() -> None:
    """Peaks in bytes read on an NVIDIA H200 with torch 2.11, in docs/memory.md too."""
    small = replace(BIG, dim=1536, ffn_dim=8960)
    large = Clip(1280, 720, 81)
    for weights, clip, measured in (
        (small, USUAL, 1_646_822_400),
        (small, large, 3_719_160_832),
        (BIG, USUAL, 3_729_889_280),
        (BIG, large, 8_599_664_640),
    ):
        assert measured <= denoising_bytes(weights, clip) * 1.01
        assert denoising_bytes(weights, clip) == pytest.approx(measured, rel=0.05)
    assert decoding_bytes(BIG, USUAL, tiled=False) == pytest.approx(9_013_496_832, rel=0.02)
    assert 2_016_322_560 <= decoding_bytes(BIG, USUAL, tiled=True) < 2_400_000_000
    # TI2V 5B and VACE 1.3B, without the weights that were there besides.
    ti2v = replace(BIG, dim=3072, ffn_dim=14336, stride=16, vae_load=256 / 96 / 4 * _PATCHED, patched=True)
    long = Clip(1280, 704, 121)
    assert denoising_bytes(ti2v, long) == pytest.approx(18_410_000_000 - 12_820_000_000, rel=0.03)
    assert decoding_bytes(ti2v, long, tiled=False) == pytest.approx(23_350_000_000 - 2_820_000_000, rel=0.01)
    assert 9_130_000_000 - 2_820_000_000 <= decoding_bytes(ti2v, long, tiled=True) < 7_000_000_000
    vace, controlled = replace(small, controls=15), replace(USUAL, mode="vace")
    assert denoising_bytes(vace, controlled) == pytest.approx(21_540_000_000 - 18_340_000_000, rel=0.03)


def test_each_profile_needs_less_of_the_device() -> None:
    amounts = [needs(profile, BIG, USUAL).device for profile in PROFILES]
    assert amounts == sorted(amounts, reverse=True)
    assert len(set(amounts)) == len(amounts)
    two = replace(BIG, transformers=(28 * GB, 28 * GB))
    assert needs(BALANCED, two, USUAL).device == needs(BALANCED, BIG, USUAL).device
    assert needs(FAST, two, USUAL).device == needs(FAST, BIG, USUAL).device + 28 * GB


def test_main_memory_holds_what_waits_and_not_what_goes_straight_to_the_device() -> None:
    """A 14B model that lay whole on the device left 2.5 to 4.7 GB in main memory (docs/memory.md)."""
    assert 2 * GB < needs(FAST, BIG, USUAL).ram < 5 * GB
    assert needs(BALANCED, BIG, USUAL).ram == needs(LOW, BIG, USUAL).ram > 29 * GB
    assert needs(FAST, replace(BIG, staged=28 * GB), USUAL).ram > 28 * GB


@pytest.mark.parametrize(
    ("free", "expected"), [(80, FAST), (40, BALANCED), (24, LOW), (12, LOW), (9, MINIMAL), (1, MINIMAL)]
)
def test_the_first_that_fits_is_taken(free: int, expected: Profile) -> None:
    there = Memory(free * GB, free * GB, 64 * GB, 64 * GB)
    choice = choose("auto", "cuda:0", there, lambda profile: needs(profile, BIG, USUAL))
    assert choice.profile is expected
    assert f"{free}.0 GB free on the GPU" in choice.reason


def test_main_memory_counts_too_and_what_is_asked_for_holds() -> None:
    there = Memory(80 * GB, 80 * GB, 8 * GB, 64 * GB)
    short = choose("auto", "cuda:0", there, lambda profile: Needs(90 * GB if profile is FAST else GB, 9 * GB))
    assert (short.profile, short.reason.partition(";")[0]) == (BALANCED, "main memory is short")
    assert short.warning.startswith("Main memory may not do: the film takes about 9.0 GB, and 8.0 GB are free")
    assert choose("auto", "cuda:0", there, lambda profile: Needs(99 * GB, GB)).reason.startswith("nothing fits")
    assert choose("low", "cuda:0", there, lambda profile: Needs(GB, 9 * GB)).warning
    assert not choose("auto", "cuda:0", there, lambda profile: Needs(GB, 7 * GB)).warning
    assert choose("fast", "cuda:0", there, lambda profile: Needs(99 * GB, GB)).profile is FAST
    assert choose("auto", "cpu", there, lambda profile: Needs(99 * GB, GB)).profile is FAST


def test_memory_is_measured_within_a_containers_limit(tmp_path: Path) -> None:
    free, total = main_memory(tmp_path)
    assert 0 < free <= total
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    assert main_memory(tmp_path) == (700_000, 1_000_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert main_memory(tmp_path)[1] == total
    assert measure("cpu").device_total == measure("cpu").ram_total


@given(
    width=st.integers(1, 120).map(lambda each: 16 * each),
    height=st.integers(1, 120).map(lambda each: 16 * each),
    frames=st.integers(0, 60).map(lambda each: 4 * each + 1),
    mode=st.sampled_from(["t2v", "i2v", "flf2v", "vace"]),
    more=st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)),
)
def test_more_is_never_estimated_as_less(
    width: int, height: int, frames: int, mode: Mode, more: tuple[int, int, int]
) -> None:
    """In frames, width and height; of the modes VACE takes the most; and a lower profile never takes more."""
    weights = replace(BIG, controls=8)
    small = Clip(width, height, frames, mode)
    large = Clip(width + 16 * more[0], height + 16 * more[1], frames + 4 * more[2], mode)
    for profile in PROFILES:
        assert needs(profile, weights, small).device <= needs(profile, weights, large).device
        assert needs(profile, weights, replace(small, mode="t2v")).device <= needs(profile, weights, small).device
        assert needs(profile, weights, small).device <= needs(profile, weights, replace(small, mode="vace")).device
    turns = [needs(profile, weights, large).device for profile in (FAST, BALANCED, LOW)]
    assert turns == sorted(turns, reverse=True)
