"""Films from single weight files show the pictures that the same weights in the diffusers layout show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from diffusers import UniPCMultistepScheduler
from PIL import Image

from checkpoints import State, official_transformer, official_vae21, write_gguf, write_torch
from model_sets import Networks, make_networks, write_files
from wan_engine.errors import ModelError
from wan_engine.film import make_film, plan_film
from wan_engine.models.tokenizer import load_tokenizer
from wan_engine.settings import Settings

PROMPT = {"0": "a red square moves --neg a circle"}


@pytest.fixture(scope="module")
def networks() -> Networks:
    """Random ones, with pictures of some contrast that the transformer has a say in."""
    made = make_networks()
    for transformer in (made.transformer, made.second):
        transformer.proj_out.weight.data *= 20
    made.vae.decoder.conv_out.weight.data *= 10
    return made


@pytest.fixture(scope="module")
def comfy(networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ComfyUI's folder of models: transformers with ComfyUI's prefix, a VAE, a text encoder with its tokenizer."""
    models = tmp_path_factory.mktemp("comfy") / "models"
    files = write_files(models / "made", networks)
    places = {
        "transformer": "diffusion_models/wan_t2v.safetensors",
        "transformer_2": "more/wan_second.safetensors",
        "vae": "vae/wan_vae.safetensors",
        "text_encoder": "text_encoders/umt5.safetensors",
        "vace": "more/blocks.safetensors",
    }
    for name, place in places.items():
        (models / place).parent.mkdir(exist_ok=True)
        files[name].rename(models / place)
    return models


@pytest.fixture(scope="module")
def folder(networks: Networks, comfy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights in the diffusers layout."""
    made = tmp_path_factory.mktemp("diffusers") / "t2v"
    networks.transformer.save_pretrained(made / "transformer")
    networks.vae.save_pretrained(made / "vae")
    networks.text_encoder.save_pretrained(made / "text_encoder")
    load_tokenizer(comfy / "text_encoders" / "umt5.safetensors").save_pretrained(made / "tokenizer")
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    scheduler.save_pretrained(made / "scheduler")
    names = ("transformer", "vae", "text_encoder", "tokenizer", "scheduler")
    index: dict[str, Any] = {name: ["library", "Class"] for name in names}
    (made / "model_index.json").write_text(json.dumps(index))
    return made


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return Settings(
        prompts=PROMPT,
        max_frames=5,
        fps="16",
        width=32,
        height=32,
        steps="2",
        guidance_scale="2",
        seed=3,
        device="cpu",
        codec="png",
        output_dir=str(tmp_path / "out"),
    )


def pictures(settings: Settings, model: Path, **more: str) -> Any:
    made = make_film(replace(settings, model=str(model), **more), lambda event: None, lambda: False)
    paths = sorted(made.folder.glob("*_0*.png"))
    assert len(paths) == settings.max_frames
    return np.stack([np.asarray(Image.open(path)) for path in paths]).astype(int)


@pytest.fixture
def expected(settings: Settings, folder: Path) -> Any:
    """The film from the folder; not one colour, so that equality says something."""
    shown = pictures(settings, folder)
    assert shown.std() > 5
    return shown


@pytest.mark.slow
def test_single_files_in_comfyuis_folders(settings: Settings, comfy: Path, expected: Any) -> None:
    transformer = comfy / "diffusion_models" / "wan_t2v.safetensors"
    assert (pictures(settings, transformer) == expected).all()
    # A folder that is searched, and the name that `models list` shows.
    assert (pictures(settings, Path("wan_t2v"), model_dirs=str(comfy)) == expected).all()


@pytest.mark.slow
def test_an_official_release(
    settings: Settings, comfy: Path, networks: Networks, tmp_path: Path, expected: Any
) -> None:
    release = tmp_path / "Wan2.1-T2V"
    release.mkdir()
    write_torch(release / "Wan2.1_VAE.pth", official_vae21(networks.vae.state_dict()))
    write_torch(release / "diffusion_pytorch_model.pth", official_transformer(networks.transformer.state_dict()))
    text_encoder = str(comfy / "text_encoders" / "umt5.safetensors")
    with pytest.raises(ModelError, match="the UMT5 text encoder"):
        plan_film(replace(settings, model=str(release)))
    assert (pictures(settings, release, text_encoder=text_encoder) == expected).all()


@pytest.mark.slow
def test_gguf(settings: Settings, comfy: Path, networks: Networks, expected: Any) -> None:
    """Eight bits a weight: nearly the same pictures, and not those of another network."""
    state = official_transformer(networks.transformer.state_dict())
    linear = [
        name for name, each in state.items() if each.dim() == 2 and name.startswith("blocks.") and "weight" in name
    ]
    kind = gguf.GGMLQuantizationType.Q8_0
    packed: State = {name: torch.from_numpy(gguf.quants.quantize(state[name].numpy(), kind)) for name in linear}
    path = write_gguf(comfy / "diffusion_models" / "wan.gguf", state | packed, dict.fromkeys(linear, "Q8_0"))
    shown = pictures(settings, path)
    other = pictures(settings, comfy / "more" / "wan_second.safetensors", model_dirs=str(comfy))
    assert np.abs(other - expected).mean() > 3
    assert np.abs(shown - expected).mean() < np.abs(other - expected).mean() / 5


@pytest.mark.slow
def test_a_part_of_a_folder_is_replaced(settings: Settings, comfy: Path, folder: Path, expected: Any) -> None:
    vae = str(comfy / "vae" / "wan_vae.safetensors")
    plan = plan_film(replace(settings, model=str(folder), vae=vae))
    assert any(vae in note for note in plan.notes)
    assert (pictures(settings, folder, vae=vae) == expected).all()
