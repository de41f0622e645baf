"""The benchmark renders real networks with random weights through the real backend and says what they took."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from wan_engine.backends.wan import random_models
from wan_engine.backends.wan.bench import Case, measure_case
from wan_engine.backends.wan.random_models import FAMILIES_OFFERED, RandomModels
from wan_engine.backends.wan.random_packed import PACKINGS
from wan_engine.cli.app import main
from wan_engine.cli.bench_memory import read_case
from wan_engine.errors import CapabilityError, InputError
from wan_engine.families import FAMILIES, ModelCard

CARD = ModelCard("random", FAMILIES["wan2.1-t2v-1.3b"], frozenset({"t2v"}))
GB = 10**9


@pytest.fixture
def small(one_thread: None, monkeypatch: pytest.MonkeyPatch) -> RandomModels:
    shapes = {"bias": (32, 4), "words": (300, 4096), "query": (32, 4096), "gate": (64, 4096)}
    monkeypatch.setattr(random_models, "_UMT5_XXL", shapes)
    narrow = {"encoder_in": (8, 3, 3, 3, 3), "decoder_in": (32, 16, 3, 3, 3), "decoder_out": (3, 8, 3, 3, 3)}
    monkeypatch.setattr(random_models, "_VAE_21", random_models._VAE_21 | narrow)
    models = RandomModels("wan2.1-t2v-1.3b", layers=2, text_layers=1)
    models.variant = replace(models.variant, dim=128, ffn_dim=256)
    return models


def test_profiles_give_the_same_and_the_figures_are_plain(small: RandomModels) -> None:
    family = small.variant.family
    measured = [measure_case(Case(family, name, 16, 16, 1, 2), small, "cpu") for name in ("fast", "low")]
    assert [each.ended for each in measured] == ["fast", "low"]
    assert len({each.latents for each in measured}) == 1
    assert len(measured[0].latents) == 16
    assert all(each.main_memory > 10**8 and each.step > 0 and not each.error for each in measured)
    assert json.loads(json.dumps(measured[0].as_dict()))["case"]["family"] == family
    assert measured[0].lines()[0].startswith(f"{family}:fast: ")


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_weights_are_packed_and_compute(small: RandomModels, packing: str) -> None:
    models = RandomModels(small.variant.family, layers=2, text_layers=1, packing=packing)
    models.variant = replace(small.variant, dim=256, ffn_dim=512)
    measured = [measure_case(Case(small.variant.family, name, 16, 16, 1, 2), models, "cpu") for name in ("fast", "low")]
    assert not any(each.error for each in measured)
    assert len({each.latents for each in measured}) == 1
    network = models.network("transformer", "cpu", "float32")
    assert type(network.blocks[0].ffn.net[2]).__name__ == "GGUFLinear"
    there = sum(each.numel() * each.element_size() for each in network.parameters())
    assert models.weigh([CARD], "float32", on_cpu=True, fp8=False).transformers == (there,)


def test_only_known_packings_are_made(small: RandomModels) -> None:
    with pytest.raises(CapabilityError, match="no random weights of the type Q3_K"):
        RandomModels(small.variant.family, layers=1, packing="Q3_K").network("transformer", "cpu", "float32")


def test_an_error_is_part_of_the_answer(small: RandomModels) -> None:
    measured = measure_case(Case(small.variant.family, "fast", 24, 24, 1, 1), small, "cpu")
    assert "multiple of 16" in measured.error
    assert measured.lines()[-1] == measured.error


def test_a_model_with_an_image_encoder_renders(small: RandomModels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        random_models, "_CLIP_H", {"positions": (257, 160), "patch": (160, 3, 14, 14), "ffn": (64, 160)}
    )
    models = RandomModels("wan2.1-i2v-14b", layers=2, text_layers=1)
    models.variant = replace(models.variant, dim=128, ffn_dim=256)
    measured = measure_case(Case("wan2.1-i2v-14b", "fast", 32, 32, 5, 1), models, "cpu")
    assert not measured.error
    assert len(measured.latents) == 16


def test_vace_renders_with_a_control(small: RandomModels) -> None:
    models = RandomModels("wan2.1-vace-14b", layers=2, text_layers=1)
    models.variant = replace(models.variant, dim=128, ffn_dim=256, vace=1)
    measured = measure_case(Case("wan2.1-vace-14b", "fast", 32, 32, 5, 1), models, "cpu")
    assert not measured.error
    assert models.weigh([CARD], "float32", on_cpu=True, fp8=False).controls == 1


@pytest.mark.parametrize(
    ("family", "expected"),
    [("wan2.1-t2v-1.3b", 2.84), ("wan2.1-t2v-14b", 28.58), ("wan2.1-i2v-14b", 32.8), ("wan2.1-vace-14b", 34.7)],
)
def test_the_sizes_are_the_published_ones(family: str, expected: float) -> None:
    weights = RandomModels(family).weigh([CARD], "bfloat16", on_cpu=False, fp8=False)
    assert weights.transformers[0] / GB == pytest.approx(expected, rel=0.01)
    assert weights.text_encoder / GB == pytest.approx(11.4, rel=0.01)
    assert weights.vae / GB == pytest.approx(0.508, rel=0.01)


def test_other_families_are_refused() -> None:
    assert "wan2.2-ti2v-5b" in FAMILIES_OFFERED
    with pytest.raises(CapabilityError, match="no random model of the family"):
        RandomModels("wan2.2-vace-fun-a14b")


BASE = Case("", "", 16, 16, 1, 1)


def test_a_case_is_named_in_one_word() -> None:
    (one,) = read_case("wan2.1-t2v-14b:Q4_K:compile:low", BASE)
    assert (one.family, one.packing, one.compile, one.fp8, one.profile) == (
        "wan2.1-t2v-14b",
        "Q4_K",
        "on",
        False,
        "low",
    )
    assert one.words == "wan2.1-t2v-14b:Q4_K:compile:low"
    assert [each.profile for each in read_case("wan2.1-t2v-14b:fp8", BASE)] == ["fast", "balanced", "low", "minimal"]
    assert [each.words for each in read_case("wan2.2-ti2v-5b:low:fast:fp8", BASE)] == [
        "wan2.2-ti2v-5b:fp8:fast",
        "wan2.2-ti2v-5b:fp8:low",
    ]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("wan2.2-vace-fun-a14b", 'no random weights of "wan2.2-vace-fun-a14b"'),
        ("wan2.1-t2v-14b:fp9", '"fp9" is not known'),
        ("wan2.1-t2v-14b:Q4_K:fp8", "weights are kept in one format"),
    ],
)
def test_a_wrong_case_is_said(word: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_case(word, BASE)


def test_the_command_measures_each_case(
    small: RandomModels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(random_models, "RandomModels", lambda family, packing: small)
    words = ["wan2.1-t2v-1.3b:low", "wan2.1-t2v-1.3b:fp8:fast"]
    size = ["--size", "16X16x1", "--steps", "1", "--device", "cpu"]
    assert main(["bench", "memory", *words, *size, "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["measured"]
    assert [each["case"]["profile"] for each in measured] == ["low", "fast"]
    assert [each["error"] for each in measured] == ["", ""]
    for wrong in ("16x16", "16x16x2", "8x16x1", "16xx1", "axbxc"):
        assert main(["bench", "memory", "--size", wrong]) == 2


def test_fp8_weighs_less(small: RandomModels) -> None:
    plain, packed = (small.weigh([CARD], "bfloat16", on_cpu=False, fp8=fp8) for fp8 in (False, True))
    assert packed.block < 0.6 * plain.block
    assert packed.staged == plain.transformers[0]
    assert (packed.vae, packed.text_encoder) == (plain.vae, plain.text_encoder)


def test_fp8_is_measured_under_one_profile_after_the_other(small: RandomModels) -> None:
    family = small.variant.family
    cases = [Case(family, name, 16, 16, 1, 2, fp8=True) for name in ("fast", "balanced", "low")]
    measured = [measure_case(case, small, "cpu") for case in cases]
    assert not any(each.error for each in measured)
    assert len({each.latents for each in measured}) == 1
    network = small.network("transformer", "cpu", "float32")
    assert network.blocks[0].ffn.net[2].weight.element_size() == 1
