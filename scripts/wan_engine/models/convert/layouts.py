"""Every layout the engine reads, and how the layout of a file is found."""

from __future__ import annotations

from collections.abc import Collection

from wan_engine.models.convert.clip import OFFICIAL_CLIP
from wan_engine.models.convert.layout import Layout
from wan_engine.models.convert.official import OFFICIAL, VACE_MODULE
from wan_engine.models.convert.same_names import DIFFUSERS, DIFFUSERS_VAE, TRANSFORMERS_CLIP, TRANSFORMERS_UMT5
from wan_engine.models.convert.umt5 import OFFICIAL_UMT5
from wan_engine.models.convert.umt5_llama import LLAMA_UMT5
from wan_engine.models.convert.vae21 import OFFICIAL_VAE21
from wan_engine.models.convert.vae22 import OFFICIAL_VAE22

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        *(OFFICIAL, DIFFUSERS, VACE_MODULE),
        *(OFFICIAL_VAE21, OFFICIAL_VAE22, DIFFUSERS_VAE),
        *(OFFICIAL_UMT5, TRANSFORMERS_UMT5, LLAMA_UMT5),
        *(OFFICIAL_CLIP, TRANSFORMERS_CLIP),
    )
}
"""By name, in the order in which they are tried."""


def find_layout(names: Collection[str]) -> tuple[Layout, str] | None:
    """The layout of these names and what stands before them; None if they are of none."""
    for layout in LAYOUTS.values():
        prefix = layout.prefix(names)
        if prefix is not None:
            return layout, prefix
    return None
