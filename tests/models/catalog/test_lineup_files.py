"""What the settings name becomes the models of a film: files, releases, names, chosen parts; else one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

import model_files
from model_files import write_sparse
from wan_engine.errors import CapabilityError, ModelError
from wan_engine.families import Lineup
from wan_engine.models.lineup import lineup, lineup_notes
from wan_engine.settings import Settings
from wan_engine.tiny import WEIGHTS


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    write_sparse(folder / "vae" / "wan_2.1_vae.safetensors", model_files.vae())
    write_sparse(folder / "text_encoders" / "umt5.safetensors", {**model_files.umt5(), "spiece_model": (4_548_313,)})
    write_sparse(folder / "unet" / "small.safetensors", model_files.transformer("t2v-1.3b"))
    return folder


def chosen(**settings: str) -> Lineup:
    return lineup(Settings(**settings), WEIGHTS)


def test_a_file_and_a_name_are_the_same_model(models: Path) -> None:
    path = str(models / "unet" / "small.safetensors")
    by_path = chosen(model=path)
    assert by_path == chosen(model="small", model_dirs=str(models)) == chosen(model=str(models / "unet"))
    card = by_path.card("t2v")
    assert (card.name, card.path) == ("small", path)
    assert lineup_notes(by_path) == card.notes
    assert not by_path.can("i2v")


def test_each_mode_may_have_its_file(models: Path) -> None:
    for noise in ("high", "low"):
        write_sparse(models / "unet" / f"i2v_{noise}_noise.safetensors", model_files.transformer("i2v-a14b"))
    small, high = (str(models / "unet" / name) for name in ("small.safetensors", "i2v_high_noise.safetensors"))
    found = chosen(model=small, i2v_model=high, flf2v_model="i2v_high_noise", model_dirs=str(models))
    assert {mode: card.family.name for mode, card in found.cards.items()} == {
        "t2v": "wan2.1-t2v-1.3b", "i2v": "wan2.2-i2v-a14b", "flf2v": "wan2.2-i2v-a14b",
    }  # fmt: skip
    with pytest.raises(CapabilityError, match="cannot do image-to-video"):
        chosen(i2v_model=small)
    everything = chosen(model=str(models))
    assert {mode: card.family.name for mode, card in everything.cards.items()}["i2v"] == "wan2.2-i2v-a14b"


def test_a_named_part_wins_and_must_fit(models: Path, tmp_path: Path) -> None:
    path = str(models / "unet" / "small.safetensors")
    mine = write_sparse(tmp_path / "elsewhere" / "mine.safetensors", model_files.vae())
    wide = write_sparse(tmp_path / "elsewhere" / "wide.safetensors", model_files.vae(48))
    assert dict(chosen(model=path, vae=str(mine)).card("t2v").files)["vae"] == str(mine)
    by_name = chosen(model=path, vae="mine", model_dirs=str(tmp_path / "elsewhere"))
    assert dict(by_name.card("t2v").files)["vae"] == str(mine)
    for settings, words in (
        ({"vae": str(wide)}, "vae: .*wide.*does not fit"),
        ({"vae": path}, "vae: .*small.*no vae"),
        ({"text_encoder": str(mine)}, "text_encoder: .*no text encoder"),
        ({"vae": str(tmp_path / "nowhere")}, "nowhere does not exist"),
        ({"transformer_2": str(mine)}, "transformer_2: .*no transformer"),
        ({"vace_module": path}, "vace_module: .*no vace module"),
    ):
        with pytest.raises(ModelError, match=words):
            chosen(model=path, **settings)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("nothing-of-this-name", 'model: there is no model "nothing-of-this-name"'),
        ("{models}/nowhere.safetensors", "nowhere.safetensors does not exist"),
        ("{models}/vae/wan_2.1_vae.safetensors", "is Wan 2.1 VAE, 16 channels, no transformer"),
        ("{models}/vae", "holds no model_index.json and no transformer"),
        ("{models}/twice", "holds 2 models for text-to-video"),
        ("small", '"small" names 2 models'),
    ],
)
def test_what_cannot_be_used_says_why(models: Path, value: str, words: str) -> None:
    for name in ("twice/small.safetensors", "twice/other.safetensors"):
        write_sparse(models / name, model_files.transformer("t2v-1.3b"))
    with pytest.raises(ModelError) as caught:
        chosen(model=value.format(models=models), model_dirs=str(models))
    assert words in caught.value.message
    assert caught.value.remedy
