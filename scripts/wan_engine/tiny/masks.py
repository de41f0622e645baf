"""Draws the masks that VACE learns with: which pixels of a clip are given, and which it fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wan_engine.tiny.world import TRAINED, Canvas, Clips, Dice, changed, gliding, steady, together, turning_after

if TYPE_CHECKING:
    import torch

PREFIXES = (1, 5, 9, 13, 17)
"""Lengths in frames of a given beginning: those that fill whole latent frames."""
_LEAST_NEW = 4
"""Frames that follow a given beginning at least."""
_LEAST_KEPT, _LEAST_HOLE, _LARGEST_HOLE = 0.25, 0.25, 0.75
"""Shares of the width or height."""


def drawn_clips(dice: Dice, canvas: Canvas, count: int) -> tuple[Clips, torch.Tensor]:
    """Clips of trained captions and what of them is to fill: (B, T, height, width) truth values.

    Half of the clips show one caption first and then turn into that of their text, most of these with all of the first
    given. An eighth goes from any picture to any other, with both given. The others are of one caption.
    """
    import torch

    one, two = count // 2, count * 5 // 8
    caption = dice.choice(TRAINED, count)
    before = changed(dice, caption, 0.4)
    known = _lengths(dice, canvas, one)
    clips = together(
        turning_after(dice, canvas, (before[:one], caption[:one]), known),
        gliding(dice, canvas, before[one:two], caption[one:two]),
        steady(dice, canvas, caption[two:], 0.7),
    )
    turn = torch.where(_each(dice.chance(0.75, one)), beginning(canvas, known), drawn(dice, canvas, one))
    return clips, torch.cat([turn, ends(canvas, caption[one:two]), drawn(dice, canvas, count - two)])


def drawn(dice: Dice, canvas: Canvas, count: int) -> torch.Tensor:
    """Masks of all kinds. A quarter of those of sides and holes has a given beginning too, as parts of a long clip."""
    import torch

    start = beginning(canvas, _lengths(dice, canvas, count))
    kind = dice.uniform(count)
    place = torch.where(_each(kind < 0.5), sides(dice, canvas, count), holes(dice, canvas, count))
    place = place & (start | ~_each(dice.chance(0.25, count)))
    time = torch.where(_each(kind < 0.9), start, ends(canvas, kind))
    return torch.where(_each(kind < 0.75), place, time)


def beginning(canvas: Canvas, known: torch.Tensor) -> torch.Tensor:
    """Masks with the first `known` (B,) frames given."""
    import torch

    frame = torch.arange(canvas.frames, device=known.device)
    return _spread(canvas, frame >= known[:, None])


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


def _lengths(dice: Dice, canvas: Canvas, count: int) -> torch.Tensor:
    return dice.choice(tuple(length for length in PREFIXES if length <= canvas.frames - _LEAST_NEW), count)


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
