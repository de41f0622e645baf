"""Which models and parts are listed from the folders, and what is said of incomplete and damaged ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import model_files
from model_files import write_sparse
from wan_engine.models.listing import list_models
from wan_engine.tiny import WEIGHTS

OTHERS = {"model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3)}
ANIMATE = {**model_files.transformer("t2v-14b"), "face_adapter.fuser_blocks.0.linear1_kv.weight": (4, 4)}


@pytest.fixture(autouse=True)
def own_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's own models and caches are not looked at."""
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_folders_of_the_diffusers_layout_are_listed_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    link = root / "a" / "tiny"
    link.parent.mkdir(parents=True)
    link.symlink_to(WEIGHTS)
    embedded, *others = list_models([root, root, root / "none"], WEIGHTS)
    (found,) = [each for each in others if each.name == "t2v"]
    assert (embedded.embedded, embedded.path, embedded.family) == (True, "", "Wan-Tiny")
    assert embedded.size_bytes > 100_000
    assert {"t2v", "i2v", "flf2v"} <= set(embedded.modes)
    assert (found.path, found.kind, found.precision, found.error) == (
        str(link / "t2v"),
        "model",
        embedded.precision,
        "",
    )
    assert {"transformer", "vae", "text_encoder"} <= set(found.parts)


def test_a_damaged_model_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model_index.json").write_text("{")
    (_, broken) = list_models([tmp_path], WEIGHTS)
    assert (broken.name, broken.family, broken.modes) == ("broken", "", ())
    assert "model_index.json" in broken.error
    assert broken.remedy


def test_single_files_are_models_and_parts(tmp_path: Path) -> None:
    """An incomplete model says what it lacks, other programs' models stay away, damaged files say why."""
    root = tmp_path / "models"
    for name, shapes in (
        ("diffusion_models/one_high_noise.safetensors", model_files.transformer("t2v-14b")),
        ("diffusion_models/one_low_noise.safetensors", model_files.transformer("t2v-14b")),
        ("unet/animate.safetensors", ANIMATE),
        ("Stable-diffusion/sd.safetensors", OTHERS),
        ("vae/wan.safetensors", model_files.vae()),
    ):
        write_sparse(root / name, shapes, "F16")
    (root / "vae" / "cut.safetensors").write_bytes(b"x" * 30)
    (_, model, *parts) = list_models([root], WEIGHTS)
    assert (model.name, model.family, model.precision) == ("one_high_noise", "Wan 2.2 T2V A14B", "fp16")
    assert sorted(model.parts) == ["transformer", "transformer_2", "vae"]
    assert len(model.missing) == 1
    assert "text encoder" in model.error
    assert "wan-engine models download" in model.remedy
    assert model.size_bytes > 57e9
    told = {Path(part.path).name: (part.kind, part.family, bool(part.error)) for part in parts}
    assert told == {
        "animate.safetensors": ("other", "Wan Animate", True),
        "wan.safetensors": ("vae", "Wan 2.1 VAE, 16 channels", False),
        "cut.safetensors": ("other", "", True),
    }
