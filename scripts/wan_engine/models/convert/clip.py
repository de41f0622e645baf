"""The official names of OpenCLIP ViT-H/14, as in models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wan_engine.models.convert.layout import Layout, Source

_WHOLE = {
    "cls_embedding": "embeddings.class_embedding",
    "pos_embedding": "embeddings.position_embedding.weight",
    "patch_embedding.weight": "embeddings.patch_embedding.weight",
    **{f"pre_norm.{each}": f"pre_layrnorm.{each}" for each in ("weight", "bias")},
    **{f"post_norm.{each}": f"post_layernorm.{each}" for each in ("weight", "bias")},
}
_IN_BLOCK = {
    "norm1": "layer_norm1",
    "attn.proj": "self_attn.out_proj",
    "norm2": "layer_norm2",
    "mlp.0": "mlp.fc1",
    "mlp.2": "mlp.fc2",
}
_JOINED = "attn.to_qkv"
_BLOCK = re.compile(r"transformer\.(\d+)\.(.+)\.(weight|bias)")


class OfficialClip(Layout):
    """The names of the vision half of `wan/modules/clip.py`; queries, keys and values are one tensor there."""

    def sources(self, names: Iterable[str]) -> dict[str, Source]:
        """As `Layout.sources`."""
        found = {}
        for name in names:
            match = _BLOCK.fullmatch(name)
            start = f"encoder.layers.{match[1]}." if match else ""
            if match and match[2] == _JOINED:
                for piece, each in enumerate("qkv"):
                    found[f"{start}self_attn.{each}_proj.{match[3]}"] = Source(name, piece, 3)
            elif match and match[2] in _IN_BLOCK:
                found[f"{start}{_IN_BLOCK[match[2]]}.{match[3]}"] = Source(name)
            else:
                found[_WHOLE.get(name, name)] = Source(name)
        return found


OFFICIAL_CLIP = OfficialClip(
    name="official-clip",
    label="Wan's own names",
    kind="image_encoder",
    prefixes=("visual.", ""),
    signs=("cls_embedding", "transformer.0.attn.to_qkv.weight", "pre_norm.weight"),
    landmarks={
        "positions": "pos_embedding",
        "patch": "patch_embedding.weight",
        "ffn": "transformer.0.mlp.0.weight",
    },
    blocks=("transformer.",),
    # The projection into the space that texts share, which no Wan model uses.
    unused=("head",),
)
