"""The shapes world: captions, what is held out, and pictures that agree with the positions told."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from wan_engine.tiny.judge import direction, look
from wan_engine.tiny.pools import CANVASES, TEXT_TOKENS
from wan_engine.tiny.world import (
    CAPTIONS,
    HELD_OUT,
    MORPH_FRAMES,
    TRAINED,
    Canvas,
    Clips,
    Dice,
    changed,
    gliding,
    render,
    steady,
    turning,
)


def eight_bits(clips: Clips) -> torch.Tensor:
    return ((render(clips) + 1) * 127.5).round().byte().permute(0, 2, 3, 4, 1)


def test_held_out_captions_leave_every_part_in_training() -> None:
    assert len(CAPTIONS) == 270
    assert set(TRAINED).isdisjoint(HELD_OUT)
    assert 25 <= len(HELD_OUT) <= 40
    for part in ("colour", "shape", "motion", "background"):
        seen = Counter(getattr(CAPTIONS[index], part) for index in TRAINED)
        held = Counter(getattr(CAPTIONS[index], part) for index in HELD_OUT)
        assert set(seen) == set(held), part


@pytest.mark.parametrize("canvas", [Canvas(64, 64, 17), Canvas(96, 64, 25), Canvas(64, 128, 9)])
def test_pictures_show_their_captions_where_the_centres_are(canvas: Canvas) -> None:
    clips = steady(Dice.of(1), canvas, torch.arange(0, 270, 7))
    for number, pictures in enumerate(eight_bits(clips).numpy()):
        caption = CAPTIONS[7 * number]
        seen = [look(pictures[frame]) for frame in (0, canvas.frames // 2, canvas.frames - 1)]
        assert all(sighting.shows(caption) for sighting in seen), caption
        assert direction(seen) == caption.motion
        if caption.shape != "triangle":
            # A triangle's centre of area lies below the middle of its height.
            x, y = clips.centres[number, canvas.frames // 2].tolist()
            assert abs(seen[1].x - x) < 0.5
            assert abs(seen[1].y - y) < 0.5


def test_one_pixel_a_frame_and_never_over_the_border() -> None:
    canvas = Canvas(64, 64, 33)
    clips = steady(Dice.of(2), canvas, torch.arange(270), roomy=0.0)
    steps = (clips.centres[:, 1:] - clips.centres[:, :-1]).abs().sum(-1)
    assert steps.max() <= 1.0001
    radius = clips.radius[:, None, None]
    assert bool((clips.centres >= radius + 1.99).all())
    assert bool((clips.centres <= 64 - radius - 1.99).all())


def test_a_turning_clip_begins_as_one_caption_and_soon_is_the_other() -> None:
    dice = Dice.of(3)
    caption = dice.choice(TRAINED, 40)
    clips = turning(dice, Canvas(64, 64, 17), changed(dice, caption, 0.5), caption)
    for number, pictures in enumerate(eight_bits(clips).numpy()):
        assert look(pictures[0]).shows(CAPTIONS[int(clips.before[number])])
        assert look(pictures[MORPH_FRAMES]).shows(CAPTIONS[int(caption[number])])


def test_a_change_keeps_to_trained_captions_and_mostly_to_the_background() -> None:
    dice = Dice.of(4)
    caption = dice.choice(TRAINED, 2000)
    before = changed(dice, caption, 0.3)
    assert set(before.tolist()) <= set(TRAINED)
    assert 0.65 < float((before % 3 == caption % 3).float().mean()) < 0.9


def test_the_same_seed_gives_the_same_clips() -> None:
    def drawn(seed: int) -> torch.Tensor:
        dice = Dice.of(seed)
        caption = dice.choice(TRAINED, 4)
        return render(gliding(dice, Canvas(64, 64, 9), changed(dice, caption, 0.5), caption))

    assert torch.equal(drawn(5), drawn(5))
    assert not torch.equal(drawn(5), drawn(6))


def test_canvases_are_what_the_model_can_make() -> None:
    for canvas, share in CANVASES:
        assert canvas.width % 16 == canvas.height % 16 == 0
        assert canvas.frames % 4 == 1
        assert share > 0
    assert max(len(caption.text.split()) for caption in CAPTIONS) + 6 < TEXT_TOKENS
