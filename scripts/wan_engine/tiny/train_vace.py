"""Begins the VACE transformer: from its own weights, or from those of the text-to-video one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wan_engine.tiny.networks import make_vace_transformer

_LAYERS = (0, 1, 2, 3, 5)
"""The text-to-video layers that it takes over: it has one less, and the last one forms the picture."""


def make_filler(start: Path | None, text_video: Any) -> Any:
    """The transformer of the folder `start`, else one grown from the text-to-video transformer."""
    import torch
    from diffusers import WanVACETransformer3DModel

    if start is None:
        return grown(text_video)
    return WanVACETransformer3DModel.from_pretrained(start, torch_dtype=torch.float32)


def grown(text_video: Any) -> Any:
    """A VACE transformer that begins as this text-to-video one, less a layer: it does not look at its control yet.

    Its control layer starts as the layer beside it, as VACE's authors do it; its output starts at zero.
    """
    import torch

    transformer = make_vace_transformer()
    weights = transformer.state_dict()
    for name, weight in text_video.state_dict().items():
        for own in _names(name):
            if own in weights:
                weights[own] = weight.clone()
    for name in weights:
        if name.startswith("vace_blocks.") and ".proj_out." in name:
            weights[name] = torch.zeros_like(weights[name])
    transformer.load_state_dict(weights)
    return transformer


def _names(name: str) -> list[str]:
    """What a text-to-video weight is called here: in the main layers, and in the control layer beside the first."""
    parts = name.split(".")
    if parts[0] != "blocks":
        return [name]
    layer, rest = int(parts[1]), ".".join(parts[2:])
    names = [f"blocks.{_LAYERS.index(layer)}.{rest}"] if layer in _LAYERS else []
    return [*names, f"vace_blocks.0.{rest}"] if layer == 0 else names
