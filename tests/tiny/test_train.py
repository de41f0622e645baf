"""Training: what it feeds the networks is what the pipelines feed them, and a short course learns and can go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from wan_engine.models.folder import find_models
from wan_engine.models.quiet import quiet_libraries
from wan_engine.tiny import pools, train, train_vae
from wan_engine.tiny.masks import beginning, drawn, ends
from wan_engine.tiny.networks import (
    decode,
    encode,
    make_scheduler,
    make_text_encoder,
    make_tokenizer,
    make_transformer,
    make_vace_transformer,
    make_vae,
    whole_clips,
)
from wan_engine.tiny.pools import Studio, tokens_of
from wan_engine.tiny.train_vace import grown
from wan_engine.tiny.train_video import pad_cheaply, read_texts, velocity, widened
from wan_engine.tiny.world import Canvas, Dice, render, steady

CAPTION = "a red circle moves right on a black background"


@pytest.fixture(scope="module")
def vae() -> Any:
    torch.manual_seed(0)
    return make_vae().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def clip() -> torch.Tensor:
    return render(steady(Dice.of(1), Canvas(32, 32, 13), torch.tensor([3])))


def test_whole_clips_are_coded_as_frame_by_frame(vae: Any, clip: torch.Tensor) -> None:
    latents = vae.encode(clip).latent_dist.mean
    pictures = vae.decode(latents).sample
    with whole_clips():
        assert torch.allclose(encode(vae, clip), latents, atol=1e-4)
        assert torch.allclose(decode(vae, latents).clamp(-1, 1), pictures, atol=1e-4)


@pytest.mark.parametrize("last", [False, True])
def test_conditions_are_the_pipelines(vae: Any, clip: torch.Tensor, last: bool) -> None:
    quiet_libraries()
    from diffusers import WanImageToVideoPipeline

    parts = {"tokenizer": make_tokenizer(), "text_encoder": make_text_encoder(), "scheduler": make_scheduler()}
    pipeline = WanImageToVideoPipeline(vae=vae, transformer=make_transformer(36), **parts)
    end = clip[:, :, -1] if last else None
    sizes = (1, 16, 32, 32, 13, torch.float32, torch.device("cpu"))
    _, expected = pipeline.prepare_latents(clip[:, :, 0], *sizes, last_image=end)
    canvas, one = Canvas(32, 32, 13), torch.tensor([1])
    made = Studio(vae, "cpu", 0).condition(clip, ends(canvas, one) if last else beginning(canvas, one))
    assert made.shape == expected.shape
    # Pools are kept in half precision.
    assert torch.allclose(made.float(), expected, atol=4e-3)


@pytest.mark.parametrize("kind", ["beginning", "ends", "drawn"])
def test_controls_are_the_pipelines(vae: Any, clip: torch.Tensor, kind: str) -> None:
    quiet_libraries()
    from diffusers import WanVACEPipeline

    canvas, one = Canvas(32, 32, 13), torch.tensor([5])
    masks = {"beginning": beginning(canvas, one), "ends": ends(canvas, one), "drawn": drawn(Dice.of(3), canvas, 1)}
    fill = masks[kind]
    parts = {"tokenizer": make_tokenizer(), "text_encoder": make_text_encoder(), "scheduler": make_scheduler()}
    pipeline = WanVACEPipeline(vae=vae, transformer=make_vace_transformer(), **parts)
    # The pipeline takes both as pictures, (1, T, 3, height, width) from 0 to 1: grey and white where it is to fill.
    shown = (clip * ~fill[:, None] / 2 + 0.5).transpose(1, 2)
    white = fill[:, :, None].float().expand_as(shown)
    sizes = (1, 32, 32, 13, torch.float32, torch.device("cpu"))
    video, mask, references = pipeline.preprocess_conditions(shown, white, None, *sizes)
    expected = torch.cat(
        [pipeline.prepare_video_latents(video, mask, references), pipeline.prepare_masks(mask, references)], 1
    )
    made = Studio(vae, "cpu", 0).control(clip, fill)
    assert made.shape == expected.shape == (1, 96, 4, 4, 4)
    assert torch.allclose(made.float(), expected, atol=4e-3)


def test_short_texts_do_what_the_padded_do() -> None:
    torch.manual_seed(1)
    transformer = make_transformer(16).eval().requires_grad_(False)
    texts = read_texts(make_text_encoder().eval(), torch.tensor(tokens_of(make_tokenizer(), [CAPTION]))).detach()
    padded = torch.nn.functional.pad(texts, (0, 0, 0, 512 - texts.shape[1]))
    inputs = {"hidden_states": torch.randn(1, 16, 2, 4, 4), "timestep": torch.tensor([500.0]), "return_dict": False}
    expected = transformer(encoder_hidden_states=padded, **inputs)[0]
    different = transformer(encoder_hidden_states=texts, **inputs)[0]
    pad_cheaply(transformer, True)
    made = transformer(encoder_hidden_states=texts, **inputs)[0]
    assert torch.allclose(made, expected, atol=1e-5)
    assert not torch.allclose(different, expected, atol=1e-5)


def test_a_widened_transformer_begins_as_it_was() -> None:
    transformer = make_transformer(16).eval()
    wide = widened(transformer).eval()
    latents, condition = torch.randn(1, 16, 2, 4, 4), torch.randn(1, 20, 2, 4, 4)
    rest = {"timestep": torch.tensor([300.0]), "encoder_hidden_states": torch.randn(1, 24, 128), "return_dict": False}
    one = transformer(hidden_states=latents, **rest)[0]
    other = wide(hidden_states=torch.cat([latents, condition], 1), **rest)[0]
    assert torch.allclose(one, other, atol=1e-5)


def test_a_grown_transformer_begins_as_text_to_video_less_a_layer() -> None:
    transformer = make_transformer(16).eval()
    vace = grown(transformer).eval()
    del transformer.blocks[4]
    latents, control = torch.randn(1, 16, 2, 4, 4), torch.randn(1, 96, 2, 4, 4)
    rest = {"timestep": torch.tensor([300.0]), "encoder_hidden_states": torch.randn(1, 24, 128)}
    expected = transformer(hidden_states=latents, return_dict=False, **rest)[0]
    assert torch.allclose(velocity(vace, latents, control, **rest), expected, atol=1e-5)
    torch.nn.init.eye_(vace.vace_blocks[0].proj_out.weight)
    assert not torch.allclose(velocity(vace, latents, control, **rest), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (CAPTION, CAPTION.split()),
        ("A Red, CIRCLE!", ["a", "red", "circle"]),
        ("ein Löwe 獅子 $%& red", ["<unk>", "<unk>", "<unk>", "red"]),
        ("", []),
    ],
)
def test_the_tokenizer_takes_any_text(text: str, tokens: list[str]) -> None:
    tokenizer = make_tokenizer()
    assert tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids) == [*tokens, "</s>"]


@pytest.mark.slow
def test_a_short_course_writes_a_model_and_goes_on_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = Canvas(32, 32, 9)
    monkeypatch.setattr(pools, "CANVASES", ((canvas, 1),))
    monkeypatch.setattr("wan_engine.tiny.train_video.CANVASES", ((canvas, 1),))
    monkeypatch.setattr(train_vae, "CANVASES", (canvas,))
    monkeypatch.setattr(train_vae, "_PIXELS", 6 * 9 * 32 * 32)
    short = {"device": "cpu", "clips": 16, "examined": 1, "canvas": Canvas(32, 32, 13)}
    train.train(train.Course(tmp_path / "one", None, vae=1, t2v=1, i2v=1, vace=0.5, **short))
    table = train.train(train.Course(tmp_path / "two", tmp_path / "one", vae=0, t2v=0, i2v=0.5, vace=0.5, **short))
    assert any("prompt change" in line for line in table)
    assert any("a side filled: shape goes on" in line for line in table)
    assert (tmp_path / "two" / "figures.md").read_text(encoding="utf-8").splitlines() == table
    assert not any(str(tmp_path) in path.read_text(encoding="utf-8") for path in (tmp_path / "two").rglob("*.json"))
    modes = {mode for card in find_models(tmp_path / "two") for mode in card.modes}
    assert modes == {"t2v", "i2v", "flf2v", "vace"}

    def weights(folder: str, part: str) -> bytes:
        return next((tmp_path / folder / part).glob("*.safetensors")).read_bytes()

    assert weights("one", "vae") == weights("two", "vae")
    assert weights("one", "t2v/transformer") == weights("two", "t2v/transformer")
    assert weights("one", "i2v/transformer") != weights("two", "i2v/transformer")
    assert weights("one", "vace/transformer") != weights("two", "vace/transformer")
