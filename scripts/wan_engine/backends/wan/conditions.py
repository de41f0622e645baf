"""What a clip is made from: its noise, its encoded texts and pictures, as the pipelines' own functions give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest
from wan_engine.backends.wan.known import Beginning, hold, image_condition, latent_frames
from wan_engine.backends.wan.vace import vace_control
from wan_engine.errors import RenderError
from wan_engine.families import Mode
from wan_engine.plan.continuity import whole_latents
from wan_engine.plan.model import Clip

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Conditions:
    """Everything of a clip that stays the same from step to step, but for `noise`, its latents before the first.

    noise: (1, z, 1 + k, h, w), float32.  prompt, negative: (1, 512, text width); negative None without guidance.
    condition: latents of the given pictures, with their mask in front if the model takes it.
    frame_mask: 0 where a latent is given, 1 where it is made (models with a timestep for each frame), else None.
    image: CLIP's embedding of the given pictures for models that take it, else None.
    control: what VACE is shown, else None.  beginning: what the clip repeats of the one before.
    """

    noise: torch.Tensor
    prompt: torch.Tensor
    negative: torch.Tensor | None
    condition: torch.Tensor | None = None
    frame_mask: torch.Tensor | None = None
    image: torch.Tensor | None = None
    control: torch.Tensor | None = None
    beginning: Beginning | None = None


def uses_guidance(scale: float) -> bool:
    """Whether the negative text is rendered too: classifier-free guidance does nothing at 1."""
    return scale > 1.0


def needs_negative(clip: Clip) -> bool:
    """Whether any step of the clip renders the negative text."""
    return uses_guidance(clip.guidance_scale) or uses_guidance(clip.guidance_scale_2 or 0.0)


def make_conditions(
    pipeline: Any, request: ClipRequest, prompt: torch.Tensor, negative: torch.Tensor | None, device: str
) -> Conditions:
    """Encode what the clip needs. The noise is drawn on the CPU, so that a seed gives the same on any device.

    prompt, negative: the embeddings of the clip's texts, wherever they are; negative None without guidance.
    """
    import torch

    check_request(pipeline, request)
    clip = request.clip
    dtype = pipeline.transformer.dtype
    prompt = prompt.to(device, dtype)
    negative = None if negative is None else negative.to(device, dtype)
    generator = torch.Generator("cpu").manual_seed(clip.seed)
    noise = _first_noise(pipeline, request, generator, device)
    if clip.mode == "t2v":
        mask = torch.ones_like(noise[:, :1]) if pipeline.config.expand_timesteps else None
        return Conditions(noise, prompt, negative, frame_mask=mask)
    if clip.mode == "vace":
        latents, mask = vace_control(pipeline, request, device)
        known, beginning = hold(request, latents, noise, generator)
        control = torch.cat([known, mask], dim=1).to(dtype)
        return Conditions(noise, prompt, negative, control=control, beginning=beginning)
    image = _image_embedding(pipeline, request, device)
    latents, mask = image_condition(pipeline, request, device)
    if pipeline.config.expand_timesteps:  # its mask of frames holds what is known
        return Conditions(noise, prompt, negative, latents, mask, image)
    known, beginning = hold(request, latents, noise, generator)
    return Conditions(noise, prompt, negative, torch.cat([mask, known], dim=1), None, image, beginning=beginning)


def _first_noise(pipeline: Any, request: ClipRequest, generator: torch.Generator, device: str) -> torch.Tensor:
    import torch
    from diffusers.utils.torch_utils import randn_tensor

    stride = pipeline.vae_scale_factor_spatial
    frames = latent_frames(request.clip.frames)
    shape = (1, pipeline.vae.config.z_dim, frames, request.height // stride, request.width // stride)
    noise: torch.Tensor = randn_tensor(shape, generator=generator, device=torch.device(device), dtype=torch.float32)
    return noise


def _image_embedding(pipeline: Any, request: ClipRequest, device: str) -> torch.Tensor | None:
    if pipeline.transformer.config.image_dim is None:
        return None
    from PIL import Image

    pictures = [picture for picture in (request.known[0], request.end_image) if picture is not None]
    embeds: torch.Tensor = pipeline.encode_image([Image.fromarray(picture) for picture in pictures], device)
    return embeds.to(pipeline.transformer.dtype)


_PICTURES: dict[Mode, tuple[tuple[bool, bool], ...]] = {
    "t2v": ((False, False),),
    "i2v": ((True, False),),
    "flf2v": ((True, True),),
    "vace": ((False, False), (True, False), (True, True)),
}
"""Whether a clip of a mode has pictures to start from and to arrive at."""


def check_request(pipeline: Any, request: ClipRequest) -> None:
    """Raises RenderError when pictures, sizes or length do not fit the clip's mode and model."""
    clip = request.clip
    given = (bool(request.known), request.end_image is not None)
    if request.control is not None and (clip.mode != "vace" or any(given)):
        raise RenderError(f"clip {clip.index} ({clip.mode}) got a control, which goes with vace and no other picture")
    if request.control is not None and clip.overlap and clip.overlap != whole_latents(clip.overlap):
        raise RenderError(f"clip {clip.index} repeats {clip.overlap} frames, which fill no whole latent frames")
    if given not in _PICTURES[clip.mode]:
        raise RenderError(f"clip {clip.index} ({clip.mode}) got the wrong pictures: start, end = {given}")
    if request.beginning and (request.start_image is not None or len(request.beginning) != clip.overlap):
        raise RenderError(f"clip {clip.index} got {len(request.beginning)} first frames, not {clip.overlap}")
    shape = (request.height, request.width, 3)
    for picture in (*request.known, request.end_image):
        if picture is not None and picture.shape != shape:
            raise RenderError(f"clip {clip.index} got a picture of shape {picture.shape}, not {shape}")
    _, patch_height, patch_width = pipeline.transformer.config.patch_size
    stride = pipeline.vae_scale_factor_spatial
    down, across = stride * patch_height, stride * patch_width
    if request.height % down or request.width % across:
        message = f"{request.width}x{request.height} does not fit this model"
        raise RenderError(message, f"Width must be a multiple of {across} and height of {down}")
    if clip.frames < 1 or (clip.frames - 1) % pipeline.vae_scale_factor_temporal:
        raise RenderError(f"clip {clip.index} asks for {clip.frames} frames", "The model makes 4k+1 frames")
