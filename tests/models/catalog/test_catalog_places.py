"""Where models are looked for: ComfyUI's folders with its extra paths, the Hugging Face cache, around a file."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from wan_engine.models.catalog.comfy import comfy_folders
from wan_engine.models.catalog.places import Place, extra_roots, hub_cache, lora_folders, places_near, places_of


def folders(path: Path, *names: str) -> list[Path]:
    made = [path / name for name in names]
    for each in made:
        each.mkdir(parents=True, exist_ok=True)
    return made


def searched(*given: Path) -> list[Path]:
    return [place.folder for place in places_of(given)]


def test_a_programs_folder_stands_for_its_models(tmp_path: Path) -> None:
    comfy, plain = folders(tmp_path, "ComfyUI", "mine")
    folders(comfy, "models/diffusion_models", "custom_nodes")
    (comfy / "main.py").touch()
    assert searched(comfy, plain, tmp_path / "nowhere") == [comfy / "models", plain]


def test_comfyuis_extra_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, home, named, beside = folders(tmp_path, "base", "home", "named", "ComfyUI/more")
    unet, vae, extra, at_home, first = folders(tmp_path, "base/unet", "base/vae", "base/e", "home/clip", "first")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MODELS_AT", str(base))
    file = tmp_path / "ComfyUI" / "extra_model_paths.yaml"
    file.write_text(
        "one:\n  base_path: ${MODELS_AT}\n  unet: unet/\n  vae: |\n    vae/\n    e\n    nowhere\n"
        "  controlnet: .\nempty:\n"
        f"two:\n  text_encoders: ~/clip\n  diffusion_models: {named}\n  loras: more\n  number: 3\n"
        f"three:\n  base_path: {tmp_path}\n  is_default: true\n  vae: first\n"
    )
    found = [first, unet, vae, extra, at_home, named, beside]
    assert comfy_folders(file) == found
    folders(tmp_path, "ComfyUI/models")
    assert searched(file.parent) == [file.parent / "models", *found]
    assert searched(file.parent / "models") == [file.parent / "models", *found]
    assert set(found) <= set(extra_roots([file.parent]))


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "x: !!python/object/apply:os.system ['true']", "\x00", "3"])
def test_a_damaged_extra_paths_file_is_left_out_with_a_word(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert searched(tmp_path) == [tmp_path]
    assert str(file) in caplog.text


def test_the_hugging_face_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    folders(hub, "models--Wan-AI--A/snapshots/old", "models--Wan-AI--A/snapshots/new", "datasets--x/snapshots/y")
    folders(hub, "models--Wan-AI--A/refs", "models--Wan-AI--B/snapshots/only", "models--Wan-AI--C", "version.txt")
    (hub / "models--Wan-AI--A" / "refs" / "main").write_text("old")
    assert searched() == [hub / "models--Wan-AI--A" / "snapshots" / "old", hub / "models--Wan-AI--B/snapshots/only"]
    assert extra_roots([]) == (hub,)
    assert hub_cache({"HF_HOME": "/h"}) == Path("/h/hub")
    assert hub_cache({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert hub_cache({}) == Path.home() / ".cache/huggingface/hub"


def test_around_a_file_the_usual_folders_are_searched(tmp_path: Path) -> None:
    models, vae, deep = folders(tmp_path, "models", "models/VAE", "models/diffusion_models/wan")
    folders(tmp_path, "models/ControlNet", "vae")
    near = places_near(deep / "wan.safetensors", [models])
    assert near[0] == Place(deep, 0)
    assert Place(vae, 2) in near
    names = {place.folder for place in near}
    assert models / "ControlNet" not in names
    assert tmp_path / "vae" not in names, "the folders of models are not left"


def test_folders_of_loras(tmp_path: Path) -> None:
    given = folders(tmp_path, "models/Lora", "comfy/loras", "mine/other")
    assert lora_folders([given[0], tmp_path / "comfy", tmp_path / "mine"]) == given[:2]
