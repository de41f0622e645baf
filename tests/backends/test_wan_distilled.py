"""The sampler of distilled models: exactly the steps they were trained on, and Euler between them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from samples import make_clip
from wan_engine.backends import ClipRequest
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.backends.wan.sampling import make_scheduler
from wan_engine.families import Lineup


@pytest.mark.parametrize(
    ("steps", "shift", "before"), [(4, 5.0, [1000, 750, 500, 250]), (8, 3.0, range(1000, 0, -125)), (1, 5.0, [1000])]
)
def test_the_timesteps_are_even_before_the_shift(steps: int, shift: float, before: list[int]) -> None:
    scheduler = make_scheduler({}, "distilled", shift, steps, "cpu")
    sigmas = [shift * step / 1000 / (1 + (shift - 1) * step / 1000) for step in before]
    assert scheduler.timesteps.tolist() == pytest.approx([1000 * sigma for sigma in sigmas], rel=1e-6)
    assert scheduler.sigmas.tolist() == pytest.approx([*sigmas, 0], rel=1e-6)


def test_a_clip_in_four_steps_is_eulers(tiny_lineup: Callable[[str], Lineup]) -> None:
    """By hand, on two experts: shifted by 5 the first two steps are the high-noise expert's."""
    backend = WanBackend(tiny_lineup("two_experts"), Options(device="cpu"))
    clip = make_clip(
        end=5, frames=5, intervals=4, arrives=4, steps=4, sampler="distilled", flow_shift=5.0, guidance_scale=1.0
    )
    run = backend.start(ClipRequest(clip, 64, 32))
    pipeline, given = run._pipeline, run._conditions
    latents = given.noise
    sigmas = [1.0, 0.9375, 5 / 6, 0.625, 0.0]
    with torch.no_grad():
        for number, (sigma, following) in enumerate(pairwise(sigmas)):
            expert = pipeline.transformer if number < 2 else pipeline.transformer_2
            timestep = torch.tensor([1000 * sigma])
            velocity = expert(latents, timestep, given.prompt, return_dict=False)[0]
            latents = latents + (following - sigma) * velocity
    while run.steps_done < 4:
        run.step()
    assert torch.allclose(run._latents, latents, rtol=1e-4, atol=1e-5)
