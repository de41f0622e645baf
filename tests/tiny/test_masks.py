"""The masks that VACE learns with: what is given and what is filled, and the clips that go with them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wan_engine.tiny.judge import look
from wan_engine.tiny.masks import (
    PREFIXES,
    beginning,
    continued_clips,
    drawn,
    ends,
    filled_clips,
    holes,
    latent_masks,
    sides,
)
from wan_engine.tiny.world import (
    CAPTIONS,
    SEAM_STEP,
    TRAINED,
    Canvas,
    Clips,
    Dice,
    changed,
    displaced,
    gliding,
    render,
    steady,
    turning_after,
)

SEEDS = st.integers(0, 2**31)
CANVASES = st.builds(Canvas, *[st.sampled_from(sizes) for sizes in ((32, 64, 96), (32, 64, 128), (9, 17, 25, 33))])


@given(SEEDS, CANVASES)
@settings(max_examples=25, deadline=None)
def test_every_mask_fills_something(seed: int, canvas: Canvas) -> None:
    fill = drawn(Dice.of(seed), canvas, 20)
    assert fill.shape == (20, canvas.frames, canvas.height, canvas.width)
    assert fill.dtype == torch.bool
    share = fill.float().mean((1, 2, 3))
    # Bands may be drawn so thin that a picture is given whole; hardly ever, and then nothing is to fill.
    assert int((share == 0).sum()) <= 4


@given(SEEDS, CANVASES)
@settings(max_examples=25, deadline=None)
def test_sides_keep_a_box_that_stays_where_it_is(seed: int, canvas: Canvas) -> None:
    for fill in sides(Dice.of(seed), canvas, 20):
        assert torch.equal(fill, fill[:1].expand_as(fill))
        rows, columns = (~fill[0]).any(1), (~fill[0]).any(0)
        assert torch.equal(~fill[0], rows[:, None] & columns[None, :])
        for line, size in ((rows, canvas.height), (columns, canvas.width)):
            kept = line.nonzero().flatten()
            assert len(kept) >= 0.25 * size - 1
            assert kept[-1] - kept[0] + 1 == len(kept)


@given(SEEDS, CANVASES)
@settings(max_examples=25, deadline=None)
def test_holes_are_boxes_of_a_quarter_to_three_quarters(seed: int, canvas: Canvas) -> None:
    for fill in holes(Dice.of(seed), canvas, 20):
        assert torch.equal(fill, fill[:1].expand_as(fill))
        rows, columns = fill[0].any(1), fill[0].any(0)
        assert torch.equal(fill[0], rows[:, None] & columns[None, :])
        assert 0.25 * canvas.height - 1 <= int(rows.sum()) <= 0.75 * canvas.height + 1
        assert 0.25 * canvas.width - 1 <= int(columns.sum()) <= 0.75 * canvas.width + 1


def test_sides_are_of_all_kinds_and_widths() -> None:
    fill = sides(Dice.of(1), Canvas(64, 64, 9), 2000)[:, 0]
    bands = torch.stack([fill[:, :, 0].all(1), fill[:, :, -1].all(1), fill[:, 0].all(1), fill[:, -1].all(1)], 1)
    # One side alone, two opposite ones, and all four.
    for wanted in ((True, False, False, False), (False, False, False, True), (True, True, False, False), (True,) * 4):
        assert int((bands == torch.tensor(wanted)).all(1).sum()) > 20, wanted
    left = (fill.all(1).int().cumprod(1).sum(1))[bands[:, 0]]
    assert set(range(1, 45)) <= set(left.tolist())


@given(st.sampled_from(PREFIXES))
def test_a_beginning_gives_its_frames_and_no_more(known: int) -> None:
    fill = beginning(Canvas(32, 48, 25), torch.tensor([known, 1]))
    assert not fill[0, :known].any()
    assert fill[0, known:].all()
    assert fill[1, 1:].all()


def test_ends_give_the_first_and_the_last_frame() -> None:
    fill = ends(Canvas(32, 32, 9), torch.zeros(2))
    assert fill.float().mean((0, 2, 3)).tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]


def test_latent_masks_hold_every_pixel_of_a_frame() -> None:
    fill = sides(Dice.of(2), Canvas(64, 32, 9), 3)
    folded = latent_masks(fill)
    assert folded.shape == (3, 64, 3, 4, 8)
    pixels = folded[:, :, 0].reshape(3, 8, 8, 4, 8).permute(0, 3, 1, 4, 2).reshape(3, 32, 64)
    assert torch.equal(pixels.bool(), fill[:, 0])


@pytest.mark.parametrize("known", PREFIXES)
def test_a_clip_moves_on_as_one_caption_and_then_is_the_other(known: int) -> None:
    dice = Dice.of(known)
    caption = dice.choice(TRAINED, 30)
    captions = (changed(dice, caption, 0.5), caption)
    clips = turning_after(dice, Canvas(64, 64, 25), captions, torch.full_like(caption, known), roomy=1.0)
    for number, pictures in enumerate(eight_bits(clips)):
        before, after = (CAPTIONS[int(part[number])] for part in captions)
        assert look(pictures[0]).shows(before)
        assert look(pictures[known - 1]).shows(before)
        assert look(pictures[known + 3]).shows(after)
        assert look(pictures[24]).shows(after)
    steps = clips.centres.diff(dim=1)
    assert steps.abs().sum(-1).max() <= 1.0001
    second = steps[:, known - 1 :].sum(1)
    ways = [
        {"right": (1, 0), "left": (-1, 0), "up": (0, -1), "down": (0, 1)}.get(CAPTIONS[i].motion, (0, 0))
        for i in caption
    ]
    assert torch.allclose(second, torch.tensor(ways) * float(25 - known), atol=1e-3)


def given_frames(fill: torch.Tensor) -> torch.Tensor:
    """Which frames are given whole, (B, T)."""
    return ~fill.flatten(2).any(2)


def test_clips_that_turn_have_all_before_the_turn_given() -> None:
    clips, fill = filled_clips(Dice.of(6), Canvas(64, 64, 25), 400)
    assert len(clips.caption) == len(fill) == 400
    assert set(clips.caption.tolist()) <= set(TRAINED)
    turning = clips.change[:, 0] == 0
    assert int(turning.sum()) == 180
    given = given_frames(fill)
    # Nothing tells what a clip that turns showed first but its own first pictures.
    assert bool(given[turning, 0].all())
    # What is given of most ends where the clip begins to turn, so that the text alone says how it goes on.
    exact = (given.sum(1) == (clips.change == 0).sum(1)) & turning & ~given[:, -1]
    assert int(exact.sum()) > 100
    assert {int(known) for known in given.sum(1)[exact]} == set(PREFIXES)


def test_masks_are_of_all_kinds() -> None:
    fill = drawn(Dice.of(3), Canvas(64, 64, 33), 600)
    given = given_frames(fill)
    parts = ~fill.flatten(2).all(2) & ~given
    assert int(fill.flatten(1).all(1).sum()) > 30, "clips with nothing given"
    assert int((parts.any(1) & given[:, 0]).sum()) > 100, "sides and holes behind given frames"
    assert int((parts.all(1)).sum()) > 150, "sides and holes in all frames"
    frames = given[~parts.any(1)]
    gaps = frames[:, 0] & frames[:, -1] & (frames.int().diff(dim=1).abs().sum(1) == 2)
    lengths = (~frames[gaps]).sum(1).tolist()
    assert set(range(4, 17)) <= set(lengths), "gaps of all lengths"
    single = ~frames[:, 0] & frames.any(1)
    assert int(single.sum()) > 15, "single frames, not the first"


@given(SEEDS, CANVASES)
@settings(max_examples=25, deadline=None)
def test_image_to_video_gets_whole_frames_its_first_always(seed: int, canvas: Canvas) -> None:
    clips, fill = continued_clips(Dice.of(seed), canvas, 40)
    assert len(clips.caption) == len(fill) == 40
    given = given_frames(fill)
    assert torch.equal(given, ~fill.flatten(2).all(2))
    starts = given.int().cumprod(1).sum(1)
    assert {int(known) for known in starts} <= set(PREFIXES)
    assert bool(((given.sum(1) == starts) | (given.sum(1) == starts + given[:, -1])).all())
    # A clip that turns does so behind what is given of its beginning.
    for known, change in zip(starts.tolist(), clips.change, strict=True):
        assert change[0] == 1 or not change[:known].any()


@given(SEEDS, st.integers(1, 23), st.integers(1, 23))
@settings(max_examples=25, deadline=None)
def test_a_displaced_clip_is_as_it_was_but_aside(seed: int, one: int, other: int) -> None:
    start, end = min(one, other), max(one, other) + 1
    dice = Dice.of(seed)
    clips = steady(dice, Canvas(64, 64, 25), dice.choice(TRAINED, 8))
    moved = displaced(dice, clips, torch.full((8,), start), torch.full((8,), end))
    assert torch.equal(moved.centres[:, :start], clips.centres[:, :start])
    aside = moved.centres - clips.centres
    assert bool((aside.abs() <= SEAM_STEP + 1e-4).all())
    low, high = (clips.radius + 1)[:, None, None], (63 - clips.radius)[:, None, None]
    assert bool(((moved.centres > low) & (moved.centres < high)).all())


@given(SEEDS, st.integers(1, 23))
@settings(max_examples=25, deadline=None)
def test_a_way_through_a_third_place_is_straight_before_and_behind_it(seed: int, middle: int) -> None:
    dice = Dice.of(seed)
    caption = dice.choice(TRAINED, 6)
    clips = gliding(dice, Canvas(64, 64, 25), caption, caption, torch.full((6,), middle))
    steps = clips.centres.diff(dim=1)
    for part in (steps[:, :middle], steps[:, middle:]):
        assert torch.allclose(part, part[:, :1].expand_as(part), atol=1e-3)
    assert not torch.allclose(steps[:, middle - 1], steps[:, middle], atol=1e-3)


def eight_bits(clips: Clips) -> list:
    return list(((render(clips) + 1) * 127.5).round().byte().permute(0, 2, 3, 4, 1).numpy())
