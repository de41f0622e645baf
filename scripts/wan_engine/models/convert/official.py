"""Wan's own names for its transformer, as in the official files, ComfyUI's, Kijai's and city96's GGUF files."""

from __future__ import annotations

from collections.abc import Iterable

from wan_engine.models.convert.layout import Layout, Source

_LANDMARKS = {
    "patch": "patch_embedding.weight",
    "text": "text_embedding.0.weight",
    "time": "time_embedding.0.weight",
    "ffn": "blocks.0.ffn.0.weight",
    "head": "head.head.weight",
    "cross_norm": "blocks.0.norm3.weight",
    "image": "img_emb.proj.1.weight",
    "position": "img_emb.emb_pos",
    "vace": "vace_patch_embedding.weight",
}
_OPTIONAL = ("cross_norm", "image", "position", "vace")
_POSITION = ("img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed")
"""FLF2V's place of the two pictures, which diffusers 0.42 does not rename."""


class Official(Layout):
    """The names of `wan/modules/model.py` and `vace_model.py`."""

    def sources(self, names: Iterable[str]) -> dict[str, Source]:
        """As `Layout.sources`. The names are diffusers' converter's work; it renames whatever the values are."""
        from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers

        renamed: dict[str, str] = convert_wan_transformer_to_diffusers({name: name for name in names})
        if _POSITION[0] in renamed:
            renamed[_POSITION[1]] = renamed.pop(_POSITION[0])
        return {ours: Source(theirs) for ours, theirs in renamed.items()}


OFFICIAL = Official(
    name="official",
    label="Wan's own names",
    kind="transformer",
    prefixes=("", "model.diffusion_model.", "diffusion_model.", "model."),
    signs=("blocks.0.self_attn.q.weight", "blocks.0.cross_attn.norm_k.weight", "text_embedding.0.weight"),
    landmarks=_LANDMARKS,
    optional=_OPTIONAL,
    blocks=("blocks.", "vace_blocks."),
)
"""A whole transformer."""

VACE_MODULE = Official(
    name="official-vace-module",
    label="Wan's own names, VACE blocks only",
    kind="vace_module",
    prefixes=OFFICIAL.prefixes,
    signs=("vace_blocks.0.self_attn.q.weight", "vace_blocks.0.before_proj.weight"),
    landmarks={"vace": "vace_patch_embedding.weight", "ffn": "vace_blocks.0.ffn.0.weight"},
    blocks=("vace_blocks.",),
)
"""The blocks that make VACE of a T2V transformer, without the transformer."""
