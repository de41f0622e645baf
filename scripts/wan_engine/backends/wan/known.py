"""The frames of a clip that are known before it is made: encoded for the model, and held while the rest is denoised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest

if TYPE_CHECKING:
    import torch

    from wan_engine.backends import Picture

_THOUSANDTHS = 1000


@dataclass(frozen=True)
class Beginning:
    """The latent frames that a clip repeats of the one before.

    latents: their encoded pictures, (1, z, k, h, w).  noise: the clip's own first noise in their place.
    """

    latents: torch.Tensor
    noise: torch.Tensor

    def noised_in(self, latents: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """The clip's latents with the known ones in their place, as noisy as all are at this sigma.

        Inpainting by replacement (Lugmayr et al., RePaint, 2022), as Wan2GP does it at every step of an overlap.
        """
        return self._in(latents, (1 - sigma) * self.latents + sigma * self.noise)

    def clean_in(self, latents: torch.Tensor) -> torch.Tensor:
        """The finished latents with the known ones in their place, so that what follows is decoded behind them."""
        return self._in(latents, self.latents)

    def _in(self, latents: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.cat([own.to(latents.dtype), latents[:, :, own.shape[2] :]], dim=2)


def hold(
    request: ClipRequest, latents: torch.Tensor, noise: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, Beginning | None]:
    """What the model is shown of a clip's known latents, and those that it is held to: the ones it repeats.

    latents: of the known frames, in front.  noise: the clip's first.
    What is shown of an overlap has some noise in it. That is Wan2GP's "overlap noise", 20 thousandths there: without
    any, small faults of one clip are repeated, and enlarged, by the next. Drawn once a clip, behind its first noise.
    """
    repeats = request.clip.overlap if request.beginning or request.control else 0
    if not repeats:
        return latents, None
    import torch
    from diffusers.utils.torch_utils import randn_tensor

    count = latent_frames(repeats)
    own, share = latents[:, :, :count], request.clip.overlap_noise / _THOUSANDTHS
    drawn = randn_tensor(own.shape, generator=generator, device=own.device, dtype=own.dtype)
    shown = (1 - share) * own + share * drawn
    return torch.cat([shown, latents[:, :, count:]], dim=2), Beginning(own, noise[:, :, :count])


def latent_frames(frames: int) -> int:
    """Latent frames of 4k+1 frames."""
    return (frames - 1) // 4 + 1


def pixels(pipeline: Any, picture: Picture, device: str) -> torch.Tensor:
    """A picture as the pipelines take it: (1, 3, height, width), from -1 to 1."""
    import torch
    from PIL import Image

    tensor: torch.Tensor = pipeline.video_processor.preprocess(Image.fromarray(picture))
    return tensor.to(device, dtype=torch.float32)


def known_video(pipeline: Any, request: ClipRequest, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The clip with its known frames, (1, 3, frames, height, width), and which those are, (frames,).

    The others are 0, mid grey between -1 and 1, as in WanVACEPipeline without a video.
    """
    import torch

    frames = request.clip.frames
    video = torch.zeros(1, 3, frames, request.height, request.width, device=device)
    known = torch.zeros(frames, dtype=torch.bool, device=device)
    given = dict(enumerate(request.known))
    if request.end_image is not None:
        given[frames - 1] = request.end_image
    for number, picture in given.items():
        video[:, :, number] = pixels(pipeline, picture, device)
        known[number] = True
    return video, known


def image_condition(pipeline: Any, request: ClipRequest, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What a WanImageToVideoPipeline makes of its pictures, of any known frames: their latents, and a mask of them.

    The mask has four channels, one for each frame of a latent frame, 1 where it is known; for a model with a timestep
    for each frame it has one, 0 where a latent frame is known. Wan 2.1's image-to-video was pretrained with masks of
    several first frames too (its authors in github.com/Wan-Video/Wan2.1/issues/283).
    """
    import torch

    video, known = known_video(pipeline, request, device)
    if pipeline.config.expand_timesteps:
        latents = encoded(pipeline, video[:, :, : len(request.known)])
        count = latents.shape[2]
        latents = torch.nn.functional.pad(latents, (0, 0, 0, 0, 0, latent_frames(request.clip.frames) - count))
        mask = torch.ones_like(latents[:, :1])
        mask[:, :, :count] = 0
        return latents, mask
    latents = encoded(pipeline, video)
    # The first frame is a latent frame of its own and counts four times.
    flags = torch.cat([known[:1].expand(4), known[1:]]).to(latents.dtype).view(-1, 4).T
    return latents, flags[None, :, :, None, None].expand(1, -1, -1, *latents.shape[-2:])


def encoded(pipeline: Any, video: torch.Tensor) -> torch.Tensor:
    """The normalised latents of a video, float32."""
    import torch

    vae = pipeline.vae
    latents: torch.Tensor = vae.encode(video.to(vae.device, vae.dtype)).latent_dist.mode()
    latents = latents.to(video.device, torch.float32)
    mean, std = (
        torch.tensor(values, device=latents.device).view(1, -1, 1, 1, 1)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    # Multiplied by the reciprocal, as the pipelines do: dividing rounds differently.
    return (latents - mean) * (1.0 / std)
