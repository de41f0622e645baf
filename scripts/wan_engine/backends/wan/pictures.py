"""Latents become pictures: a clip is decoded one latent frame after the other, so that memory holds four frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from wan_engine.backends import Picture

_PREVIEW_LATENTS = 64
"""Longest side of a preview, in latents: 512 pixels with a VAE of stride 8."""


def decode(pipeline: Any, latents: torch.Tensor) -> Iterator[Picture]:
    """The pictures of a clip's clean latents, shape (1, z, 1 + k, h, w), in order: 1 + 4k of them.

    Equal to the pipeline's own decoding and rounding to 8 bits. The VAE's memory of earlier frames is kept here, not in
    the VAE, so that another clip may be encoded or previewed while these frames are still being taken. With tiling on,
    the VAE decodes the clip tile by tile before the first picture is given.
    """
    vae = pipeline.vae
    if vae.use_tiling:
        yield from _pictures(pipeline, vae.decode(_scaled(vae, latents), return_dict=False)[0], unpatched=True)
        return
    hidden = vae.post_quant_conv(_scaled(vae, latents))
    memory: list[Any] = [None] * vae._cached_conv_counts["decoder"]
    for number in range(hidden.shape[2]):
        frame = hidden[:, :, number : number + 1]
        yield from _pictures(pipeline, vae.decoder(frame, feat_cache=memory, feat_idx=[0], first_chunk=number == 0))


def preview(pipeline: Any, latents: torch.Tensor) -> Picture:
    """A picture of the clip's middle latent frame, made smaller where it is large. Its motion is not decoded."""
    import torch

    middle = latents[:, :, latents.shape[2] // 2]
    longest = max(middle.shape[-2:])
    if longest > _PREVIEW_LATENTS:
        height, width = (max(2, side * _PREVIEW_LATENTS // longest) for side in middle.shape[-2:])
        middle = torch.nn.functional.interpolate(middle.float(), size=(height, width), mode="area")
    return next(decode(pipeline, middle.unsqueeze(2)))


def _scaled(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Latents in the VAE's own scale: times its std, plus its mean, channel by channel."""
    import torch

    latents = latents.to(vae.device, vae.dtype)
    mean, std = (
        torch.tensor(values).view(1, vae.config.z_dim, 1, 1, 1).to(latents.device, latents.dtype)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    # Divided by the reciprocal, as the pipelines do: multiplying rounds differently.
    return latents / (1.0 / std) + mean


def _pictures(pipeline: Any, decoded: torch.Tensor, unpatched: bool = False) -> Iterator[Picture]:
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    patch = None if unpatched else pipeline.vae.config.patch_size
    whole = decoded if patch is None else unpatchify(decoded, patch_size=patch)
    clip = pipeline.video_processor.postprocess_video(whole.clamp(-1.0, 1.0), output_type="np")
    yield from (clip[0] * 255).round().astype("uint8")
