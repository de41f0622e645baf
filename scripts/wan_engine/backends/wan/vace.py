"""What VACE is shown of a clip: the known pixels, the pixels to make, and the mask that tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest
from wan_engine.backends.control import FILL
from wan_engine.backends.wan.known import known_video, pixels

if TYPE_CHECKING:
    import torch


def vace_control(pipeline: Any, request: ClipRequest, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The latents of the known pixels, (1, z, 1 + k, h, w), and what else VACE is shown: both together are the control
    latents that WanVACEPipeline makes, float32.

    In the first the pixels to make are mid grey. The second are the latents of these alone, and the mask: 64 channels,
    1 where a pixel is to be made.
    """
    import torch

    video, unknown = _controlled(pipeline, request, device)
    references: list[list[torch.Tensor]] = [[]]
    both = pipeline.prepare_video_latents(video, unknown, references, None, torch.device(device))
    mask = pipeline.prepare_masks(unknown, references)
    latents, rest = both.to(torch.float32).chunk(2, dim=1)
    return latents, torch.cat([rest, mask], dim=1)


def _controlled(pipeline: Any, request: ClipRequest, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The clip's pixels, (1, 3, frames, height, width), and 1 for those to make, (1, 1, frames, height, width)."""
    import torch

    if request.control is None:
        video, known = known_video(pipeline, request, device)
        unknown = (~known).to(video.dtype)[None, None, :, None, None]
        return video, unknown.expand_as(video[:, :1]).contiguous()
    control, clip = request.control, request.clip
    video = torch.zeros(1, 3, clip.frames, request.height, request.width, device=device)
    unknown = torch.zeros_like(video[:, :1])
    for number, frame in enumerate(control.checked(clip, request.width, request.height)):
        fill = torch.from_numpy(frame.mask == FILL).to(device)
        picture = pixels(pipeline, frame.picture, device)
        video[:, :, number] = picture if control.canvas else picture * ~fill
        unknown[:, :, number] = fill
    return video, unknown
