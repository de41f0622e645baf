"""LoRA folders and names, and what a plan says about the LoRAs before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loras import BLOCKS, IMAGE, IMAGES, SIZES, kohya_keys, make_change, make_transformer, write_lora
from samples import make_clip, make_plan
from wan_engine.errors import InputError, ModelError
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.models.lora.check import lora_notes
from wan_engine.models.lora.library import find_loras, list_loras
from wan_engine.plan.model import ClipLora
from wan_engine.settings import Settings


def test_names_of_a_folder(tmp_path: Path) -> None:
    for name in (
        "ink.safetensors",
        "styles/Wash v1.2.SAFETENSORS",
        "notes.txt",
        "old.pt",
        "styles/deep/er.safetensors",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list_loras(tmp_path) == {
        name: str(tmp_path / f"{name}{ending}")
        for name, ending in (
            ("ink", ".safetensors"),
            ("styles/Wash v1.2", ".SAFETENSORS"),
            ("styles/deep/er", ".safetensors"),
        )
    }
    assert list_loras(tmp_path / "nowhere") == {}


def test_links_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "loras" / "own").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "ink.safetensors").write_bytes(b"")
    (tmp_path / "loras" / "linked").symlink_to(tmp_path / "shared")
    (tmp_path / "loras" / "own" / "round").symlink_to(tmp_path / "loras")
    assert list(list_loras(tmp_path / "loras")) == ["linked/ink"]


def test_the_folder_of_the_settings_or_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAN_HOME", str(tmp_path))
    assert find_loras(Settings()) == {}
    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "ink.safetensors").write_bytes(b"")
    assert list(find_loras(Settings())) == ["ink"]
    assert list(find_loras(Settings(lora_dir=str(tmp_path)))) == ["loras/ink"]
    with pytest.raises(InputError, match="lora_dir: there is no folder"):
        find_loras(Settings(lora_dir=str(tmp_path / "nowhere")))


def model(folder: Path, experts: int = 1, **sizes: Any) -> Lineup:
    """A model folder of which only the configs are there: nothing else may be needed."""
    parts = {name: ["diffusers", "X"] for name in ("transformer", "text_encoder", "vae", "tokenizer", "scheduler")}
    config = {**SIZES, **sizes}
    if experts == 2:
        parts["transformer_2"] = ["diffusers", "X"]
    for name in parts:
        (folder / name).mkdir(parents=True)
        file = {"tokenizer": "tokenizer_config.json", "scheduler": "scheduler_config.json"}.get(name, "config.json")
        (folder / name / file).write_text(json.dumps(config))
    index = {**parts, "boundary_ratio": 0.875 if experts == 2 else None}
    (folder / "model_index.json").write_text(json.dumps(index))
    return Lineup({"t2v": ModelCard("My-Wan", FAMILIES["wan-tiny"], frozenset({"t2v"}), str(folder))})


def notes(lineup: Lineup, path: Path, *experts: str) -> list[str]:
    clips = [make_clip(loras=(ClipLora("ink", str(path), 1.0, expert),)) for expert in experts]
    return list(lora_notes(make_plan(*clips), lineup))


@pytest.fixture
def i2v_lora(tmp_path: Path) -> Path:
    change = make_change(make_transformer(**IMAGE), [*BLOCKS, *IMAGES])
    return write_lora(tmp_path / "ink.safetensors", kohya_keys(change, str))


def test_what_is_changed_and_left_out_is_a_note(tmp_path: Path, i2v_lora: Path) -> None:
    left_out = "left out: 8 that this model has not"
    (note,) = notes(model(tmp_path / "t2v"), i2v_lora, "both", "both")
    assert note.startswith(f'LoRA "ink" changes My-Wan: 30 modules; {left_out} (blocks.0.cross_attn.k_img, ')
    assert notes(model(tmp_path / "i2v", **IMAGE), i2v_lora, "both") == ['LoRA "ink" changes My-Wan: 38 modules']


def test_the_expert_is_said(tmp_path: Path, i2v_lora: Path) -> None:
    two, one = model(tmp_path / "two", 2, **IMAGE), model(tmp_path / "one", **IMAGE)
    assert notes(two, i2v_lora, "high", "low", "both") == [
        'LoRA "ink" changes My-Wan, the expert for high noise alone: 38 modules',
        'LoRA "ink" changes My-Wan, the expert for low noise alone: 38 modules',
        'LoRA "ink" changes My-Wan: 38 modules',
    ]
    (note,) = notes(one, i2v_lora, "low")
    meant = "though it is meant for an expert for low noise, which this model has not"
    assert note == f'LoRA "ink" changes My-Wan, {meant}: 38 modules'


def test_a_lora_that_does_not_fit_is_an_error_in_the_plan(tmp_path: Path, i2v_lora: Path) -> None:
    lineup = model(tmp_path / "large", num_attention_heads=4)
    with pytest.raises(ModelError, match="made for a model of another size") as caught:
        notes(lineup, i2v_lora, "both")
    assert "My-Wan" in caught.value.message
    i2v_lora.write_bytes(i2v_lora.read_bytes()[:-9])
    with pytest.raises(ModelError, match="cut off"):
        notes(model(tmp_path / "i2v", **IMAGE), i2v_lora, "both")


def test_the_folders_of_models_have_loras_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two with one name the state folder's is taken."""
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "state"))
    for place in ("state/loras", "webui/Lora", "ComfyUI/models/loras"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "ink.safetensors").touch()
        (tmp_path / place / f"of_{Path(place).name}.safetensors").touch()
    (tmp_path / "ComfyUI" / "main.py").touch()
    folders = f"{tmp_path / 'webui'}\n{tmp_path / 'ComfyUI'}"
    found = find_loras(Settings(model_dirs=folders))
    assert sorted(found) == ["ink", "of_Lora", "of_loras"]
    assert found["ink"] == str(tmp_path / "state" / "loras" / "ink.safetensors")
