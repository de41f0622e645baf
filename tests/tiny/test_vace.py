"""What diffusers' own WanVACEPipeline makes with the weights that come with the engine: sides and beginnings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from wan_engine.models.quiet import quiet_libraries
from wan_engine.tiny import WEIGHTS
from wan_engine.tiny.judge import direction, look, psnr
from wan_engine.tiny.masks import beginning
from wan_engine.tiny.networks import make_scheduler, make_tokenizer
from wan_engine.tiny.quality import EXAMINED
from wan_engine.tiny.world import CAPTIONS, Caption, Dice, held_out, render, steady, turning_after

GREY = 128
BESIDE = {
    "left": Caption("cyan", "square", "left", "black"),
    "below": Caption("red", "circle", "down", "grey"),
}
WHOLE = Caption("yellow", "circle", "down", "black")
"""Training saw none of them."""


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Any]:
    # As the engine renders with small models: more threads only wait for each other.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    quiet_libraries()
    from diffusers import AutoencoderKLWan, WanVACEPipeline, WanVACETransformer3DModel
    from transformers import UMT5EncoderModel

    transformer = WanVACETransformer3DModel.from_pretrained(WEIGHTS / "vace/transformer", torch_dtype=torch.float32)
    made = WanVACEPipeline(
        tokenizer=make_tokenizer(),
        text_encoder=UMT5EncoderModel.from_pretrained(WEIGHTS / "text_encoder", dtype=torch.float32),
        vae=AutoencoderKLWan.from_pretrained(WEIGHTS / "vae", torch_dtype=torch.float32),
        scheduler=make_scheduler(),
        transformer=transformer,
    )
    made.set_progress_bar_config(disable=True)
    yield made
    torch.set_num_threads(threads)


def pictures(clips: Any) -> np.ndarray:
    """The clip's pictures, (T, height, width, 3) in 8 bits."""
    return ((render(clips)[0] + 1) * 127.5).round().byte().permute(1, 2, 3, 0).numpy()


def filled(pipeline: Any, truth: np.ndarray, fill: np.ndarray, caption: Caption) -> np.ndarray:
    """What is made of the clip's pictures where `fill`, (T, height, width), is false, and of its text."""
    made = pipeline(
        prompt=caption.text,
        video=[Image.fromarray(picture) for picture in np.where(fill[..., None], GREY, truth).astype(np.uint8)],
        mask=[Image.fromarray(mask) for mask in fill.astype(np.uint8) * 255],
        height=truth.shape[1],
        width=truth.shape[2],
        num_frames=len(truth),
        num_inference_steps=8,
        guidance_scale=1.5,
        generator=torch.Generator().manual_seed(1),
    )
    return (made.frames[0] * 255).round().astype(np.uint8)


@pytest.mark.parametrize("side", BESIDE)
def test_a_shape_goes_on_across_the_border_of_a_filled_side(pipeline: Any, side: str) -> None:
    caption = BESIDE[side]
    clips = steady(Dice.of(4), EXAMINED, torch.tensor([CAPTIONS.index(caption)]))
    truth = pictures(clips)
    x, y = clips.centres[0, EXAMINED.frames // 2].round().int().tolist()
    fill = np.zeros(truth.shape[:3], bool)
    if side == "left":
        fill[:, :, :x] = True
    else:
        fill[:, y:] = True
    made = filled(pipeline, truth, fill, caption)
    # Before anyone pastes the given pixels over it.
    assert psnr(made[~fill], truth[~fill]) > 30
    for frame in range(0, EXAMINED.frames, 4):
        seen, there = look(made[frame]), look(truth[frame])
        assert seen.shows(caption), frame
        assert abs(seen.x - there.x) < 3
        assert abs(seen.y - there.y) < 3


def test_a_given_beginning_goes_on_as_the_text_says(pipeline: Any) -> None:
    before, caption = Caption("green", "circle", "right", "black"), Caption("blue", "square", "down", "black")
    captions = tuple(torch.tensor([CAPTIONS.index(each)]) for each in (before, caption))
    clips = turning_after(Dice.of(5), EXAMINED, captions, torch.tensor([5]), roomy=1.0)
    truth, fill = pictures(clips), beginning(EXAMINED, torch.tensor([5]))[0].numpy()
    made = filled(pipeline, truth, fill, caption)
    assert psnr(made[:5], truth[:5]) > 30
    assert all(look(picture).shows(before) for picture in made[:5])
    seen = [look(picture) for picture in made[12:]]
    assert all(sighting.shows(caption) for sighting in seen)
    assert direction(seen) == caption.motion


def test_with_nothing_given_the_text_alone_is_followed(pipeline: Any) -> None:
    truth = np.full((EXAMINED.frames, EXAMINED.height, EXAMINED.width, 3), GREY, np.uint8)
    made = filled(pipeline, truth, np.ones(truth.shape[:3], bool), WHOLE)
    seen = [look(picture) for picture in made]
    assert all(sighting.shows(WHOLE) for sighting in seen)
    assert direction(seen) == WHOLE.motion


def test_missing_frames_lead_from_those_before_to_those_behind(pipeline: Any) -> None:
    """As where a seam is repaired: behind the gap the shape is four pixels further than its motion brings it."""
    caption = BESIDE["below"]
    clips = steady(Dice.of(4), EXAMINED, torch.tensor([CAPTIONS.index(caption)]))
    truth = pictures(clips)
    truth[13:] = np.roll(truth[13:], 4, axis=2)
    fill = np.zeros(truth.shape[:3], bool)
    fill[7:19] = True
    made = filled(pipeline, truth, fill, caption)
    assert psnr(made[~fill], truth[~fill]) > 30
    seen = [look(picture) for picture in made]
    assert all(sighting.shows(caption) for sighting in seen)
    steps = [(after.x - before.x, after.y - before.y) for before, after in pairwise(seen)]
    assert all(-0.7 < across < 1.7 and -0.2 < down < 2.2 for across, down in steps), steps


def test_the_captions_here_are_held_out() -> None:
    assert all(held_out(CAPTIONS.index(caption)) for caption in (*BESIDE.values(), WHOLE))
