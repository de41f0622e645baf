"""Films with LoRAs, on the model that comes with the engine: which clips change, stopping and going on, bad files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from loras import ATTENTION, make_change, peft_keys, write_lora
from wan_engine.backends import ClipRequest
from wan_engine.errors import Cancelled, InputError, ModelError
from wan_engine.film import make_film, plan_film, resume_film
from wan_engine.plan.model import ClipLora, read_plan
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import Event
from wan_engine.settings import Settings
from wan_engine.tiny import WEIGHTS
from wan_engine.tiny.judge import psnr

PROMPTS = {"0": "a red circle", "8": "a green square", "16": "a blue triangle"}
SECOND_CLIP_ONLY = "ink: 0: (0), 8: (0.5), 16: (0)"


@pytest.fixture(scope="module")
def loras(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a LoRA whose random low-rank change alters what the embedded model draws."""
    folder = tmp_path_factory.mktemp("loras")
    write_ink(folder, seed=1)
    return folder


def write_ink(folder: Path, seed: int) -> None:
    from diffusers import WanTransformer3DModel

    transformer = WanTransformer3DModel.from_pretrained(WEIGHTS / "t2v" / "transformer")
    change = make_change(transformer, [f"blocks.{block}.{name}" for block in (1, 2) for name in ATTENTION], seed=seed)
    write_lora(folder / "ink.safetensors", peft_keys(change, lambda name: f"diffusion_model.{name}"))


def settings(folder: Path, lora_dir: Path, **changes: Any) -> Settings:
    """Three clips from text, so that none hands its end on to the next."""
    common = {"fps": "16", "width": 64, "height": 64, "continuity": "cut", "steps": "3", "save_frames": True}
    film = Settings(prompts=PROMPTS, max_frames=24, seed=3, output_dir=str(folder), lora_dir=str(lora_dir), **common)
    return replace(film, **changes)


def quiet(event: Event) -> None:
    """A report that nobody reads."""


def frames_in(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*_0*.png"))]


def film(wanted: Settings) -> list[np.ndarray]:
    return frames_in(make_film(wanted, quiet, lambda: False).folder)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, loras: Path) -> list[np.ndarray]:
    torch.set_num_threads(1)
    return film(settings(tmp_path_factory.mktemp("plain"), loras))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, loras: Path) -> list[np.ndarray]:
    return film(settings(tmp_path_factory.mktemp("changed"), loras, loras=SECOND_CLIP_ONLY))


def same(first: list[np.ndarray], second: list[np.ndarray]) -> list[bool]:
    return [np.array_equal(one, other) for one, other in zip(first, second, strict=True)]


def test_only_the_clips_whose_weight_is_not_0_change(plain: list[np.ndarray], changed: list[np.ndarray]) -> None:
    assert same(plain, changed) == [True] * 8 + [False] * 8 + [True] * 8
    apart = [psnr(plain[frame], changed[frame]) for frame in range(8, 16)]
    assert min(apart) < 25, apart
    assert max(apart) < 40, apart


def test_weight_0_is_the_film_without_it(tmp_path: Path, loras: Path, plain: list[np.ndarray]) -> None:
    assert all(same(film(settings(tmp_path, loras, loras="ink: 0")), plain))


def test_a_tag_does_what_the_schedule_does(tmp_path: Path, loras: Path, changed: list[np.ndarray]) -> None:
    prompts = {**PROMPTS, "8": "a green square <lora:ink:0.5>"}
    made = make_film(settings(tmp_path, loras, prompts=prompts), quiet, lambda: False)
    assert all(same(frames_in(made.folder), changed))
    assert [clip.prompt for clip in read_plan(made.plan).clips] == list(PROMPTS.values())
    assert 'LoRA "ink" changes Wan-Tiny: 16 modules' in made.notes
    assert list(read_plan(made.plan).resolved["loras"]) == [str(loras / "ink.safetensors")]


def test_stopped_in_the_middle_it_goes_on_to_the_same_film(
    tmp_path: Path, loras: Path, changed: list[np.ndarray]
) -> None:
    folder = stopped_film(settings(tmp_path, loras, loras=SECOND_CLIP_ONLY))
    assert all(same(frames_in(resume_film(folder, quiet, lambda: False).folder), changed))


def stopped_film(wanted: Settings, after_steps: int = 5) -> Path:
    """The folder of a film that is stopped in its second clip."""
    steps: list[int] = []
    folders: list[str] = []

    def report(event: Event) -> None:
        steps.extend([1] if event.kind == "step" else [])
        folders.extend([event.message] if event.kind == "started" else [])

    with pytest.raises(Cancelled):
        make_film(wanted, report, lambda: len(steps) >= after_steps)
    return Path(folders[0])


def test_another_file_of_the_same_name_is_another_film(tmp_path: Path, loras: Path) -> None:
    """What was begun with the old file is not mixed with the new one; clips without it are kept."""
    own = tmp_path / "loras"
    own.mkdir()
    write_ink(own, seed=1)
    folder = stopped_film(settings(tmp_path, own, loras=SECOND_CLIP_ONLY))
    write_ink(own, seed=2)
    events: list[Event] = []
    made = resume_film(folder, events.append, lambda: False)
    assert [event.clip for event in events if event.message == "kept from before"] == [0]
    assert len([event for event in events if event.kind == "step"]) == 6
    whole = film(settings(tmp_path / "whole", own, loras=SECOND_CLIP_ONLY))
    assert all(same(frames_in(made.folder), whole))


def test_a_clip_without_loras_has_the_hash_it_had_before_there_were_any(tmp_path: Path, loras: Path) -> None:
    plan = plan_film(settings(tmp_path, loras, loras="ink"))
    assert set(plan.models.values()) == {"Wan-Tiny"}
    (path,) = {lora.path for lora in plan.clips[0].loras}

    def inputs(known: dict[str, str], *used: ClipLora) -> str:
        request = ClipRequest(replace(plan.clips[0], loras=used), 64, 64)
        return ClipStore(tmp_path, replace(plan, resolved={"loras": known})).inputs_hash(request)

    one, moved = ClipLora("ink", path, 0.5), ClipLora("ink", "/elsewhere", 0.5)
    assert inputs({path: "a"}) == inputs({})
    assert inputs({path: "a"}, one) != inputs({})
    assert inputs({path: "a"}, one) == inputs({"/elsewhere": "a"}, moved)
    assert inputs({path: "a"}, one) != inputs({path: "b"}, one)
    for other in (replace(one, weight=0.6), replace(one, expert="high")):
        assert inputs({path: "a"}, one) != inputs({path: "a"}, other)


@pytest.mark.parametrize("backend", ["wan", "dry_run"])
def test_a_bad_lora_is_an_error_of_the_plan(tmp_path: Path, loras: Path, backend: str) -> None:
    with pytest.raises(InputError, match=r'there is no LoRA "imk"\. Did you mean "ink"'):
        plan_film(settings(tmp_path, loras, loras="imk", backend=backend))
    write_lora(tmp_path / "other.safetensors", {"double_blocks.0.x.lora_A.weight": torch.ones(2, 2)})
    wanted = settings(tmp_path, tmp_path, loras="other", backend=backend)
    if backend == "wan":
        with pytest.raises(ModelError, match="no LoRA for a Wan transformer"):
            plan_film(wanted)
    else:
        assert plan_film(wanted).clips[0].loras, "a dry run has no model that it could fit"
