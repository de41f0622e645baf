"""Trains the small model's VAE on clips of the shapes world."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.tiny.networks import decode, encode, whole_clips
from wan_engine.tiny.world import (
    TRAINED,
    Canvas,
    Clips,
    Dice,
    changed,
    gliding,
    render,
    steady,
    together,
    turning,
)

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

CANVASES = (Canvas(64, 64, 17), Canvas(64, 64, 33), Canvas(96, 64, 25))
"""Few, since a GPU looks for its fastest kernels for each; the VAE's layers are the same at every size. The long ones
are needed: a VAE that saw 17 frames at most fades on the later ones."""
_PIXELS = 16 * 17 * 64 * 64
"""Pixels of a batch, over all its frames."""
_SHAPE_WEIGHT, _FIRST_WEIGHT = 5.0, 3.0
"""A plain mean lets the small shape vanish; the first picture has a latent of its own and starts clips."""
_LATENT_NOISE = 0.03
_LATENT_SIZE = 1e-3


@dataclass(frozen=True)
class Pace:
    """A learning rate over a stretch of time: a short rise, then half a cosine down.

    seconds: of training.  peak: the highest rate.  rise: steps until the peak.
    """

    seconds: float
    peak: float
    rise: int = 100

    def rate(self, step: int, elapsed: float) -> float:
        """The rate at a step, after `elapsed` seconds."""
        down = 0.5 * (1 + math.cos(math.pi * min(1.0, elapsed / self.seconds))) + 0.01
        return self.peak * min(1.0, (step + 1) / self.rise) * down


class Averaged:
    """A running mean of a network's weights, which makes better pictures than the last ones."""

    def __init__(self, weights: list[torch.Tensor]) -> None:
        self._weights = [weight.detach() for weight in weights]
        self._mean = [weight.clone() for weight in self._weights]
        self._steps = 0

    def update(self) -> None:
        """Take in the weights as they are now; the mean looks back further the longer it runs, at most 500 steps."""
        import torch

        self._steps += 1
        share = max(0.002, 1 / (1 + self._steps / 5))
        torch._foreach_lerp_(self._mean, self._weights, share)

    def apply(self) -> None:
        """Put the mean into the network."""
        import torch

        with torch.no_grad():
            for weight, mean in zip(self._weights, self._mean, strict=True):
                weight.copy_(mean)


def mixed_clips(dice: Dice, canvas: Canvas, count: int) -> Clips:
    """Half steady, a third turning and a sixth gliding clips, at least six in all."""
    caption = dice.choice(TRAINED, count)
    before = changed(dice, caption, 0.35)
    one, two = count // 2, count * 5 // 6
    return together(
        steady(dice, canvas, caption[:one], 0.7),
        turning(dice, canvas, before[one:two], caption[one:two]),
        gliding(dice, canvas, before[two:], caption[two:]),
    )


def train_vae(vae: Any, device: str, seconds: float, warm_up: float) -> None:
    """Train in place: `warm_up` seconds on single pictures, then `seconds` on clips."""
    dice = Dice.of(1, device)
    with whole_clips():
        if warm_up:
            _train(vae, dice, Pace(warm_up, 6e-4), single=True)
        _train(vae, dice, Pace(seconds, 6e-4), single=False)
    vae.register_to_config(**latent_figures(vae, device))


def _train(vae: Any, dice: Dice, pace: Pace, single: bool) -> None:
    import torch

    weights = list(vae.parameters())
    fused = weights[0].is_cuda
    optimizer = torch.optim.AdamW(weights, lr=pace.peak, weight_decay=0, betas=(0.9, 0.99), fused=fused)
    mean = Averaged(weights)
    start, step = time.monotonic(), 0
    while (elapsed := time.monotonic() - start) < pace.seconds:
        for group in optimizer.param_groups:
            group["lr"] = pace.rate(step, elapsed)
        clips = _batch(dice, single)
        loss, made = _loss(vae, clips)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, 0.5)
        optimizer.step()
        mean.update()
        step += 1
        if step % 100 == 0:
            quality = -10 * torch.log10(((made - clips) ** 2).mean() / 4)
            log.info("vae %d: loss %.4f, %.1f dB, %.0f s", step, loss.item(), quality.item(), elapsed)
    mean.apply()


def _batch(dice: Dice, single: bool) -> torch.Tensor:
    """Pictures of clips, or single ones. One is as conditions are: empty between its ends."""
    import torch

    canvas = CANVASES[int(dice.choice(tuple(range(len(CANVASES))), 1))]
    count = max(6, _PIXELS // (canvas.width * canvas.height * canvas.frames))
    clips = render(mixed_clips(dice, canvas, count))
    if single:
        # Frames of whole clips, so that pictures in the midst of a change are among them.
        return clips.transpose(1, 2).flatten(0, 1)[:, :, None][:: canvas.frames // 8]
    condition = torch.zeros_like(clips[:1])
    condition[:, :, 0] = clips[:1, :, 0]
    if bool(dice.chance(0.7, 1)):
        condition[:, :, -1] = clips[:1, :, -1]
    return torch.cat([clips, condition])


def _loss(vae: Any, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    latents = encode(vae, clips)
    made = decode(vae, latents + _LATENT_NOISE * torch.randn_like(latents))
    background = clips[..., :1, :1]
    shape = ((clips - background).abs().amax(1) > 0.05).float()
    # Two pixels more on each side: what the edge leaves behind outside counts too.
    weight = 1 + _SHAPE_WEIGHT * torch.nn.functional.max_pool2d(shape, 5, 1, 2)[:, None]
    weight[:, :, 0] *= _FIRST_WEIGHT
    miss = made - clips
    loss = (weight * (miss.abs() + 2 * miss * miss)).mean() + _LATENT_SIZE * (latents**2).mean()
    return loss, made


def latent_figures(vae: Any, device: str) -> dict[str, list[float]]:
    """Mean and deviation of each latent channel over clips, as the VAE's config keeps them."""
    import torch

    dice = Dice.of(2, device)
    with torch.no_grad(), whole_clips():
        batches = [encode(vae, render(mixed_clips(dice, CANVASES[0], 24))) for _ in range(12)]
    latents = torch.cat(batches)
    mean, deviation = latents.mean((0, 2, 3, 4)), latents.std((0, 2, 3, 4))
    return {"latents_mean": mean.tolist(), "latents_std": deviation.tolist()}
