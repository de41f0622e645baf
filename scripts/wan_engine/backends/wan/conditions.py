"""What a clip is made from: its noise, its encoded texts and pictures, as the pipelines' own functions give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest
from wan_engine.errors import RenderError
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
    """

    noise: torch.Tensor
    prompt: torch.Tensor
    negative: torch.Tensor | None
    condition: torch.Tensor | None = None
    frame_mask: torch.Tensor | None = None
    image: torch.Tensor | None = None


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
    sizes = {"height": request.height, "width": request.width, "num_frames": clip.frames}
    common = {**sizes, "dtype": torch.float32, "device": torch.device(device), "generator": generator}
    if clip.mode == "t2v":
        channels = pipeline.transformer.config.in_channels
        noise = pipeline.prepare_latents(1, channels, **common)
        mask = torch.ones_like(noise[:, :1]) if pipeline.config.expand_timesteps else None
        return Conditions(noise, prompt, negative, frame_mask=mask)
    image, last_image = (_tensor(pipeline, picture, device) for picture in (request.start_image, request.end_image))
    noise, condition, *mask_of_frames = pipeline.prepare_latents(
        image, 1, pipeline.vae.config.z_dim, last_image=last_image, **common
    )
    mask = mask_of_frames[0] if mask_of_frames else None
    return Conditions(noise, prompt, negative, condition, mask, _image_embedding(pipeline, request, device))


def _tensor(pipeline: Any, picture: Any, device: str) -> torch.Tensor | None:
    if picture is None:
        return None
    import torch
    from PIL import Image

    pixels: torch.Tensor = pipeline.video_processor.preprocess(Image.fromarray(picture))
    return pixels.to(device, dtype=torch.float32)


def _image_embedding(pipeline: Any, request: ClipRequest, device: str) -> torch.Tensor | None:
    if pipeline.transformer.config.image_dim is None:
        return None
    from PIL import Image

    pictures = [picture for picture in (request.start_image, request.end_image) if picture is not None]
    embeds: torch.Tensor = pipeline.encode_image([Image.fromarray(picture) for picture in pictures], device)
    return embeds.to(pipeline.transformer.dtype)


def check_request(pipeline: Any, request: ClipRequest) -> None:
    """Raises RenderError when pictures, sizes or length do not fit the clip's mode and model."""
    clip = request.clip
    wanted = {"t2v": (False, False), "i2v": (True, False), "flf2v": (True, True)}[clip.mode]
    given = (request.start_image is not None, request.end_image is not None)
    if given != wanted:
        raise RenderError(f"clip {clip.index} ({clip.mode}) got the wrong pictures: start, end = {given}")
    shape = (request.height, request.width, 3)
    for picture in (request.start_image, request.end_image):
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
