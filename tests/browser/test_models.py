"""The list of models in the tab: real files in a WebUI's and in ComfyUI's folders, what is missing, what was tried."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.looks import contrasts
from browser.servers import Server, alone, standin
from browser.story import READABLE
from browser.wan_page import SMALL_FILM, WanTab
from model_files import transformer, write_sparse
from model_sets import make_networks, write_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WEBUI: Mapping[str, str] = {
    "transformer": "Stable-diffusion/wan_t2v.safetensors",
    "vae": "VAE/wan_vae.safetensors",
    "text_encoder": "text_encoder/umt5.safetensors",
}
COMFY: Mapping[str, str] = {
    "transformer": "diffusion_models/wan_t2v.safetensors",
    "vae": "vae/wan_vae.safetensors",
    "text_encoder": "text_encoders/umt5.safetensors",
}
WHOLE = "wan_t2v (T2V; Wan-Tiny, fp32, 11.3 MB)"
EXPERT = "wan2.2_t2v_high_noise_14B_fp8 (Wan 2.2 T2V A14B, fp8_e4m3fn, 14.3 GB; incomplete)"
FILM = {**SMALL_FILM, "max_frames": "16", "steps": "2", "guidance_scale": "2"}


@pytest.fixture(scope="module", params=["a1111", "alone"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The oldest gradio with a WebUI's folders, the newest with ComfyUI's."""
    folder = tmp_path_factory.mktemp(request.param)
    made = alone(folder) if request.param == "alone" else standin(request.param, folder)
    models = made.home / "models" if request.param == "alone" else folder / "data" / "models"
    put_models(models, COMFY if request.param == "alone" else WEBUI)
    made.start()
    yield made
    made.close()


def put_models(models: Path, places: Mapping[str, str]) -> None:
    """A small model in single files, and one of two experts with the header of a published file."""
    files = write_files(models.parent / "made", make_networks())
    for name, place in places.items():
        (models / place).parent.mkdir(parents=True, exist_ok=True)
        files[name].rename(models / place)
    expert = "wan2.2_t2v_high_noise_14B_fp8.safetensors"
    write_sparse(models / "diffusion_models" / expert, transformer("t2v-14b"), "F8_E4M3")


def test_the_list_says_what_there_is_and_what_is_missing(tab: WanTab) -> None:
    tab.write(FILM)
    offered = tab.models(WHOLE, EXPERT)
    assert offered[0].startswith("Wan-Tiny (T2V, I2V, FLF2V, VACE; bf16, ")
    assert {WHOLE, EXPERT} <= set(offered)
    tab.choose_model("wan2.2_t2v_high")
    lacks = tab.model_details.locator(".wan-lack")
    expect(lacks.nth(0)).to_contain_text("the expert for low noise is missing")
    expect(lacks.nth(0)).to_contain_text("it could come from")
    expect(lacks.nth(1)).to_contain_text("UMT5-XXL text encoder (width 4096) is missing")
    expect(tab.model_details).to_contain_text("Name the files in the settings (transformer_2, text_encoder")
    expect(tab.problems).to_contain_text("wan2.2_t2v_high_noise_14B_fp8.safetensors is not complete")
    dim = {words: ratio for words, ratio in contrasts(tab.model_details).items() if ratio < READABLE}
    assert not dim
    tab.choose_model("Wan-Tiny")
    expect(tab.problems).to_have_count(0)
    expect(tab.model_details).to_be_hidden()


def test_a_film_of_single_files_tells_what_was_tried(tab: WanTab) -> None:
    tab.write(FILM)
    tab.models()
    tab.choose_model("wan_t2v")
    expect(tab.box("model")).to_have_value(WHOLE)
    expect(tab.timeline).to_contain_text("wan_t2v")
    tab.model_details.locator("summary").click()
    expect(tab.model_details).to_contain_text("umt5.safetensors")
    tab.begin()
    tab.wait_for("finished")
    expect(tab.tried.locator("li").first).to_be_hidden()
    tab.tried.locator("summary").click()
    for part in ("tokenizer", "text_encoder", "vae", "transformer"):
        expect(tab.tried.locator("li").filter(has_text=re.compile(rf"^{part}: /.*\.safetensors"))).to_have_count(1)
    tab.reload()
    tab.job("a red circle").get_by_role("button", name="Watch").click()
    expect(tab.tried.locator("li")).to_have_count(4)
    tab.models()
    tab.job("a red circle").get_by_role("button", name="Use settings").click()
    expect(tab.box("model")).to_have_value(WHOLE)
    expect(tab.timeline).to_contain_text("wan_t2v")
