"""What VACE is shown of a clip: the known frames, the frames to make, and the mask that tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest
from wan_engine.backends.wan.known import known_video

if TYPE_CHECKING:
    import torch


def vace_control(pipeline: Any, request: ClipRequest, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The latents of the known frames, (1, z, 1 + k, h, w), and what else VACE is shown: both together are the control
    latents that WanVACEPipeline makes, float32.

    In the first the frames to make are mid grey. The second are the latents of these, also mid grey, and the mask: 64
    channels, 1 where a pixel is to be made.
    """
    import torch

    video, known = known_video(pipeline, request, device)
    unknown = (~known).to(video.dtype)[None, None, :, None, None].expand_as(video).contiguous()
    references: list[list[torch.Tensor]] = [[]]
    both = pipeline.prepare_video_latents(video, unknown, references, None, torch.device(device))
    mask = pipeline.prepare_masks(unknown, references)
    latents, grey = both.to(torch.float32).chunk(2, dim=1)
    return latents, torch.cat([grey, mask], dim=1)
