"""Tiles: the pictures are those of diffusers' own tiled decoding, and not far from those decoded whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from wan_engine.backends.wan import pictures
from wan_engine.tiny import WEIGHTS


@pytest.fixture(scope="module")
def pipeline(one_thread: None) -> Any:
    from diffusers import AutoencoderKLWan
    from diffusers.video_processor import VideoProcessor

    vae = AutoencoderKLWan.from_pretrained(WEIGHTS / "vae").eval().requires_grad_(False)
    return SimpleNamespace(vae=vae, video_processor=VideoProcessor(vae_scale_factor=8))


def film() -> torch.Tensor:
    """A bright square that moves over a shaded ground, 5 frames of 64x96, from -1 to 1."""
    video = torch.linspace(-0.5, 0.3, 96).expand(1, 3, 5, 64, 96).clone()
    for frame in range(5):
        video[:, 0, frame, 20:44, 20 + 6 * frame : 44 + 6 * frame] = 0.9
    return video


def test_tiles_fit_together(pipeline: Any) -> None:
    vae = pipeline.vae
    with torch.no_grad():
        scaled = vae.encode(film()).latent_dist.mode()
        config = vae.config
        mean, std = (torch.tensor(each).view(1, -1, 1, 1, 1) for each in (config.latents_mean, config.latents_std))
        latents = (scaled - mean) / std
        whole = np.stack(list(pictures.decode(pipeline, latents))).astype(float)
        vae.enable_tiling(48, 48, 32, 32)
        tiled = np.stack(list(pictures.decode(pipeline, latents)))
        theirs = vae.tiled_decode(pictures._scaled(vae, latents)).sample
        encoded = vae.encode(film()).latent_dist.mode()
        vae.disable_tiling()
    expected = pipeline.video_processor.postprocess_video(theirs, output_type="np")[0]
    assert np.array_equal(tiled, (expected * 255).round().astype("uint8"))
    assert np.abs(tiled - whole).max() > 0
    assert 10 * np.log10(255**2 / np.mean((tiled - whole) ** 2)) > 14  # dB; 17.3 with tiles as small as these
    assert encoded.shape == scaled.shape
    assert not torch.equal(encoded, scaled)
