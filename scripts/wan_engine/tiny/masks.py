"""Draws the clips that transformers go on with or fill, and their masks: which pixels are given, which are to fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wan_engine.tiny.world import (
    LATENT_FRAMES,
    TRAINED,
    Canvas,
    Clips,
    Dice,
    changed,
    displaced,
    gliding,
    steady,
    together,
    turning,
    turning_after,
)

if TYPE_CHECKING:
    import torch

PREFIXES = (1, 5, 9, 13, 17)
"""Lengths in frames of a given beginning: those that fill whole latent frames."""
_LEAST_NEW = 4
"""Frames that follow a given beginning at least."""
_GAP = (4, 17)
"""Frames that are missing between two given parts: the least, and below how many."""
_SPARSE = 0.08
"""Share of frames that are given as single ones."""
_LEAST_KEPT, _LEAST_HOLE, _LARGEST_HOLE = 0.25, 0.25, 0.75
"""Shares of the width or height."""


def filled_clips(dice: Dice, canvas: Canvas, count: int) -> tuple[Clips, torch.Tensor]:
    """Clips of trained captions for VACE, and what of them is to fill: (B, T, height, width) truth values.

    A third turns from one caption into that of its text. All of the first is given there: nobody can know what a clip
    showed before what is given of it. A tenth goes from any picture to any other, also through a third; some have a
    step in their way in the midst of a gap. The others are of one caption, with masks of all kinds.
    """
    import torch

    ends_at = [count * share // 40 for share in (13, 16, 18, 21)]
    caption = dice.choice(TRAINED, count)
    before = changed(dice, caption, 0.4)
    turn, glide, pass_through, step, rest = (
        slice(start, end) for start, end in zip([0, *ends_at], [*ends_at, count], strict=True)
    )
    known = _lengths(dice, canvas, ends_at[0])
    middle = _whole(dice, 1, canvas.frames - 1, ends_at[2] - ends_at[1])
    gap = _gap(dice, canvas, ends_at[3] - ends_at[2])
    clips = together(
        turning_after(dice, canvas, (before[turn], caption[turn]), known),
        gliding(dice, canvas, before[glide], caption[glide]),
        gliding(dice, canvas, before[pass_through], caption[pass_through], middle),
        displaced(dice, steady(dice, canvas, caption[step], 0.7), *gap),
        steady(dice, canvas, caption[rest], 0.7),
    )
    fill = [
        _turns(dice, canvas, known),
        ends(canvas, caption[glide]),
        ends(canvas, caption[pass_through]) & ~within(canvas, middle, middle + 1),
        within(canvas, *gap),
        drawn(dice, canvas, count - ends_at[3]),
    ]
    return clips, torch.cat(fill)


def continued_clips(dice: Dice, canvas: Canvas, count: int) -> tuple[Clips, torch.Tensor]:
    """Clips of trained captions that image-to-video goes on with, and what of them is to make, as `filled_clips`.

    A third has its first picture given, a third the first and the last, and a third its first 5 frames or more, a few
    of these their last too.
    """
    import torch

    ends_at = [count * share // 40 for share in (7, 13, 18, 22, 27, 32)]
    caption = dice.choice(TRAINED, count)
    before = changed(dice, caption, 0.4)
    first, first_turn, glide, both, both_turn, more, more_turn = (
        slice(start, end) for start, end in zip([0, *ends_at], [*ends_at, count], strict=True)
    )
    known = _lengths(dice, canvas, count - ends_at[4], least=PREFIXES[1])
    going, turning_on = known[: ends_at[5] - ends_at[4]], known[ends_at[5] - ends_at[4] :]
    clips = together(
        steady(dice, canvas, caption[first], 0.7),
        turning(dice, canvas, before[first_turn], caption[first_turn]),
        gliding(dice, canvas, before[glide], caption[glide]),
        steady(dice, canvas, caption[both], 0.7),
        turning(dice, canvas, before[both_turn], caption[both_turn]),
        steady(dice, canvas, caption[more], 0.7),
        turning_after(dice, canvas, (before[more_turn], caption[more_turn]), turning_on),
    )
    one = torch.ones_like(caption[: ends_at[1]])
    last_too = _each(dice.chance(0.2, len(going)))
    fill = [
        beginning(canvas, one),
        ends(canvas, caption[ends_at[1] : ends_at[4]]),
        beginning(canvas, going) & (ends(canvas, going) | ~last_too),
        beginning(canvas, turning_on),
    ]
    return clips, torch.cat(fill)


def _turns(dice: Dice, canvas: Canvas, known: torch.Tensor) -> torch.Tensor:
    """Masks of clips that turn behind their first `known` frames: these given, or as parts of a long clip, or all but
    frames around the turn.
    """
    import torch

    count = len(known)
    start, kind = beginning(canvas, known), dice.uniform(count)
    sooner = (known - _whole(dice, 0, 2 * LATENT_FRAMES, count)).clamp(min=1)
    later = (known + LATENT_FRAMES + _whole(dice, 0, 2 * LATENT_FRAMES, count)).clamp(max=canvas.frames - 1)
    around = within(canvas, sooner, torch.maximum(later, sooner + 1))
    place = sides(dice, canvas, count) & start
    return torch.where(_each(kind < 0.75), start, torch.where(_each(kind < 0.88), place, around))


_KINDS = (0.42, 0.60, 0.72, 0.82, 0.90)
"""Up to which share masks are sides, holes, beginnings, whole clips and gaps; the rest gives single frames."""
_BEGUN = 0.4
"""Share of sides and holes that have a given beginning too, as parts of a long clip."""


def drawn(dice: Dice, canvas: Canvas, count: int) -> torch.Tensor:
    """Masks of all kinds for clips of one caption."""
    import torch

    start = beginning(canvas, _lengths(dice, canvas, count))
    part = start | ~_each(dice.chance(_BEGUN, count))
    kinds = [
        sides(dice, canvas, count) & part,
        holes(dice, canvas, count) & part,
        start,
        torch.ones_like(start),
        within(canvas, *_gap(dice, canvas, count)),
        ~_single(dice, canvas, count),
    ]
    kind = torch.bucketize(dice.uniform(count), torch.tensor(_KINDS, device=start.device))
    return torch.stack(kinds)[kind, torch.arange(count, device=start.device)]


def within(canvas: Canvas, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Masks that fill the frames from `start` (B,) to before `end` (B,)."""
    import torch

    frame = torch.arange(canvas.frames, device=start.device)
    return _spread(canvas, (frame >= start[:, None]) & (frame < end[:, None]))


def beginning(canvas: Canvas, known: torch.Tensor) -> torch.Tensor:
    """Masks with the first `known` (B,) frames given."""
    import torch

    return within(canvas, known, torch.full_like(known, canvas.frames))


def ends(canvas: Canvas, like: torch.Tensor) -> torch.Tensor:
    """Masks with the first and the last frame given, as many as `like` is long."""
    import torch

    fill = torch.ones(len(like), canvas.frames, dtype=torch.bool, device=like.device)
    fill[:, [0, -1]] = False
    return _spread(canvas, fill)


def sides(dice: Dice, canvas: Canvas, count: int) -> torch.Tensor:
    """Masks that fill bands of any width at one side or more and keep at least a quarter of width and height."""
    import torch

    which = dice.uniform(count)
    across = _kept(dice, canvas.width, count) | (which < 0.4)[:, None]
    down = _kept(dice, canvas.height, count) | (which > 0.8)[:, None]
    kept = torch.logical_and(down[:, :, None], across[:, None, :])
    return (~kept)[:, None].expand(-1, canvas.frames, -1, -1)


def holes(dice: Dice, canvas: Canvas, count: int) -> torch.Tensor:
    """Masks that fill a box anywhere, a quarter to three quarters of the width and of the height."""
    import torch

    across, down = (_span(dice, size, _LEAST_HOLE, _LARGEST_HOLE, count) for size in (canvas.width, canvas.height))
    return torch.logical_and(down[:, :, None], across[:, None, :])[:, None].expand(-1, canvas.frames, -1, -1)


def latent_masks(fill: torch.Tensor) -> torch.Tensor:
    """Masks (B, T, height, width) as WanVACEPipeline.prepare_masks folds them: (B, 64, t, height / 8, width / 8).

    A latent's 64 pixels become channels; of the frames, the one nearest to the latent frame's share of time is taken.
    """
    import torch

    count, frames, height, width = fill.shape
    pixels = fill.float().reshape(count, frames, height // 8, 8, width // 8, 8)
    channels = pixels.permute(0, 3, 5, 1, 2, 4).flatten(1, 2)
    size = ((frames + 3) // 4, height // 8, width // 8)
    return torch.nn.functional.interpolate(channels, size=size, mode="nearest-exact")


def _lengths(dice: Dice, canvas: Canvas, count: int, least: int = 1) -> torch.Tensor:
    return dice.choice(tuple(length for length in PREFIXES if least <= length <= canvas.frames - _LEAST_NEW), count)


def _whole(dice: Dice, least: int, below: int, count: int) -> torch.Tensor:
    """`count` whole numbers."""
    return dice.choice(tuple(range(least, below)), count)


def _gap(dice: Dice, canvas: Canvas, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where frames are missing between two given parts: the first missing ones, and the first given ones behind."""
    least, below = _GAP
    length = dice.choice(tuple(range(least, min(below, canvas.frames - 1))), count)
    start = 1 + (dice.uniform(count) * (canvas.frames - 1 - length)).long()
    return start, start + length


def _single(dice: Dice, canvas: Canvas, count: int) -> torch.Tensor:
    """Single frames anywhere, one at least, in half of the clips the first too: (B, T, height, width) truth values."""

    frames = dice.uniform(count, canvas.frames)
    given = (frames < _SPARSE) | (frames == frames.amin(1, keepdim=True))
    given[:, 0] |= dice.chance(0.5, count)
    return _spread(canvas, given)


def _each(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None]


def _spread(canvas: Canvas, frames: torch.Tensor) -> torch.Tensor:
    """Values of frames (B, T) for all their pixels."""
    return frames[:, :, None, None].expand(-1, -1, canvas.height, canvas.width)


def _kept(dice: Dice, size: int, count: int) -> torch.Tensor:
    """What bands leave of a line of pixels, (B, size): in half of the lines it reaches to one of the ends."""
    import torch

    span = _span(dice, size, _LEAST_KEPT, 1.0, count)
    order = span.int().argsort(dim=1, descending=True, stable=True)
    first = torch.gather(span, 1, order)
    side = dice.uniform(count)[:, None]
    return torch.where(side < 0.25, first, torch.where(side < 0.5, first.flip(1), span))


def _span(dice: Dice, size: int, least: float, most: float, count: int) -> torch.Tensor:
    """Stretches of a line of pixels, of `least` to `most` of its size, anywhere: (B, size) truth values."""
    import torch

    length = (size * (least + (most - least) * dice.uniform(count))).round()
    start = ((size - length) * dice.uniform(count)).round()
    pixel = torch.arange(size, device=start.device)
    return (pixel >= start[:, None]) & (pixel < (start + length)[:, None])
