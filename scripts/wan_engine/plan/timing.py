"""The one timing rule: film frames to model frames and back, in whole numbers and exact fractions only.

`rate` is always M / F: model intervals that pass while the film goes on by one frame (model fps over film fps). A clip
whose model frame 0 is film frame a and whose model frame m is film frame b spans b - a film frames of time and m
intervals of the model's. No float enters: 30000/1001 stays what it is, and a film of any length does not drift.
"""

from __future__ import annotations

from fractions import Fraction

LATENT_STRIDE = 4
"""Wan's VAE packs four frames into one latent frame after the first, so a clip has 4k+1 frames (Wan 2.1 report)."""

LEAST_INTERVALS = LATENT_STRIDE
"""The shortest clip asked of a model has five frames: one latent frame of motion after the first."""


def round_half_up(value: Fraction) -> int:
    """The nearest whole number, halves upwards. `round` would go to the even one and depend on the neighbour."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def intervals(span: int, rate: Fraction) -> int:
    """Model intervals of a clip that spans `span` film frames of time: the nearest number, at least 1."""
    return max(1, round_half_up(span * rate))


def pinned_intervals(span: int, rate: Fraction, limit: int) -> int:
    """Model intervals of a first-last-frame clip: the nearest multiple of 4, at least 4 and at most `limit`.

    The model puts the given last picture on its last frame, 4k, so that frame must be `intervals`: time is stretched
    a little instead of the picture being cut off. `limit` is in intervals, at least 4.
    """
    nearest = LATENT_STRIDE * round_half_up(span * rate / LATENT_STRIDE)
    return max(LATENT_STRIDE, min(nearest, limit - limit % LATENT_STRIDE))


def frames_asked(intervals: int) -> int:
    """Frames to ask of the model so that model frame `intervals` exists: the smallest 4k+1 above it, at least 5."""
    return LATENT_STRIDE * -(-intervals // LATENT_STRIDE) + 1


def longest_span(rate: Fraction, limit: int) -> int:
    """The most film frames of time whose `intervals` are at most `limit`; 0 when one film frame is already too long."""
    # round_half_up(span * rate) <= limit  <=>  span * rate < limit + 1/2
    return ((2 * limit + 1) * rate.denominator - 1) // (2 * rate.numerator)


def split(start: int, stop: int, longest: int, least_parts: int = 1) -> tuple[int, ...]:
    """Film frames that cut [start, stop] into the fewest equal parts of at most `longest` frames, both ends included.

    The parts differ by one frame at most and each has at least one; `least_parts` asks for more of them, as far as
    there are frames for it.  longest >= 1, stop > start.
    """
    span = stop - start
    parts = min(span, max(least_parts, -(-span // longest)))
    return tuple(start + (2 * part * span + parts) // (2 * parts) for part in range(parts + 1))
