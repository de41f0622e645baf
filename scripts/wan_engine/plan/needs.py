"""What room on the disk a film takes while it is made, estimated from its clips."""

from __future__ import annotations

from collections.abc import Sequence

from wan_engine.plan.canvas import Canvas
from wan_engine.plan.model import Clip
from wan_engine.plan.repairs import MOST_RETRIES
from wan_engine.plan.timing import LATENT_STRIDE

LATENT_CHANNELS, LATENT_SCALE = 16, 8
"""Channels and downscaling of the Wan 2.1 VAE; the Wan 2.2 one (48 channels, 16) needs less for the same picture."""

STATE_ARRAYS = 4
"""Latent-sized arrays of a resume state: the latents, and UniPC's last sample and two earlier predictions."""

FLOAT_BYTES, COLOURS = 4, 3


def disk_bytes(clips: Sequence[Clip], canvas: Canvas, retries: int = 0) -> int:
    """Room for all clips at worst, in bytes: raw RGB of the frames kept, and two resume states of the largest clip.

    retries: clips that may be kept a second time.
    A clip is kept up to the frame it hands over. FFV1 usually takes half of raw RGB. A new state is written beside the
    old one before it takes its place, so there are two.
    """
    kept = sorted((clip.last + 1 for clip in clips), reverse=True)
    again = sum(kept[:retries]) + max(0, retries - len(kept)) * kept[0]
    frames = sum(kept) + min(again, MOST_RETRIES * sum(kept))
    states = 2 * STATE_ARRAYS * max(_latent_bytes(clip.frames, canvas) for clip in clips)
    return frames * canvas.width * canvas.height * COLOURS + states


def _latent_bytes(frames: int, canvas: Canvas) -> int:
    latent_frames = (frames - 1) // LATENT_STRIDE + 1
    area = -(-canvas.width // LATENT_SCALE) * -(-canvas.height // LATENT_SCALE)
    return latent_frames * LATENT_CHANNELS * area * FLOAT_BYTES
