"""llama.cpp's names of the UMT5-XXL text encoder, as in GGUF files."""

from __future__ import annotations

from collections.abc import Iterable

from wan_engine.models.convert.layout import Layout, Source, count_blocks

_IN_BLOCK = (
    "layer.0.layer_norm",
    *(f"layer.0.SelfAttention.{each}" for each in ("q", "k", "v", "o", "relative_attention_bias")),
    "layer.1.layer_norm",
    *(f"layer.1.DenseReluDense.{each}" for each in ("wi_0", "wi_1", "wo")),
)


class LlamaUmt5(Layout):
    """The names that gguf's own table gives the tensors of a T5 encoder."""

    def sources(self, names: Iterable[str]) -> dict[str, Source]:
        """As `Layout.sources`."""
        from gguf import MODEL_ARCH, get_tensor_name_map

        there = list(names)
        count = count_blocks(there, self.blocks[0])
        table = get_tensor_name_map(MODEL_ARCH.T5ENCODER, count)
        ours = ["shared", "encoder.final_layer_norm"]
        ours += [f"encoder.block.{block}.{name}" for block in range(count) for name in _IN_BLOCK]
        renamed = {f"{table.get_name(name)}.weight": f"{name}.weight" for name in ours}
        return {renamed.get(name, name): Source(name) for name in there}


LLAMA_UMT5 = LlamaUmt5(
    name="llama-umt5",
    label="llama.cpp's names",
    kind="text_encoder",
    prefixes=("",),
    signs=("token_embd.weight", "enc.blk.0.attn_q.weight", "enc.blk.1.attn_rel_b.weight"),
    landmarks={
        "words": "token_embd.weight",
        "bias": "enc.blk.0.attn_rel_b.weight",
        "query": "enc.blk.0.attn_q.weight",
        "gate": "enc.blk.0.ffn_gate.weight",
    },
    blocks=("enc.blk.",),
    unused=("dec.", "output.weight"),
)
