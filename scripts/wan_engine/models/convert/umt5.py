"""The official names of the UMT5-XXL text encoder, as in models_t5_umt5-xxl-enc-bf16.pth and Kijai's files."""

from __future__ import annotations

import re

from wan_engine.models.convert.layout import Renamed

_WHOLE = {"token_embedding.weight": "shared.weight", "norm.weight": "encoder.final_layer_norm.weight"}
_IN_BLOCK = {
    "norm1.weight": "layer.0.layer_norm.weight",
    **{f"attn.{each}.weight": f"layer.0.SelfAttention.{each}.weight" for each in "qkvo"},
    "pos_embedding.embedding.weight": "layer.0.SelfAttention.relative_attention_bias.weight",
    "norm2.weight": "layer.1.layer_norm.weight",
    "ffn.gate.0.weight": "layer.1.DenseReluDense.wi_0.weight",
    "ffn.fc1.weight": "layer.1.DenseReluDense.wi_1.weight",
    "ffn.fc2.weight": "layer.1.DenseReluDense.wo.weight",
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")


class OfficialUmt5(Renamed):
    """The names of `wan/modules/t5.py`."""

    def rename(self, name: str) -> str:
        """As `Renamed.rename`."""
        match = _BLOCK.fullmatch(name)
        if match and match[2] in _IN_BLOCK:
            return f"encoder.block.{match[1]}.{_IN_BLOCK[match[2]]}"
        return _WHOLE.get(name, name)


OFFICIAL_UMT5 = OfficialUmt5(
    name="official-umt5",
    label="Wan's own names",
    kind="text_encoder",
    prefixes=("",),
    signs=("token_embedding.weight", "blocks.0.attn.q.weight", "blocks.1.pos_embedding.embedding.weight"),
    landmarks={
        "words": "token_embedding.weight",
        "bias": "blocks.0.pos_embedding.embedding.weight",
        "query": "blocks.0.attn.q.weight",
        "gate": "blocks.0.ffn.gate.0.weight",
    },
)
