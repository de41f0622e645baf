"""The parameters of a Wan transformer with their shapes, told from its config: what a LoRA can be checked against.

Neither torch nor the weights are needed. A test holds the table against the real classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from wan_engine.errors import ModelError

Shape = tuple[int, ...]


def transformer_shapes(config: Mapping[str, Any], where: str = "") -> dict[str, Shape]:
    """Shape by parameter name of a WanTransformer3DModel or WanVACETransformer3DModel with this config.

    where: the config's file, for errors. Raises ModelError when a value is missing or is no number.
    """
    try:
        return _Shapes(config).all()
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{where or 'the config'} is damaged: {error!r}", "Download this file again") from error


class _Shapes:
    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._dim = int(config["num_attention_heads"]) * int(config["attention_head_dim"])
        self._found: dict[str, Shape] = {}

    def all(self) -> dict[str, Shape]:
        config, dim = self._config, self._dim
        patch = tuple(int(size) for size in config.get("patch_size", (1, 2, 2)))
        channels = int(config["in_channels"])
        self._embedders()
        self._found["patch_embedding.weight"] = (dim, channels, *patch)
        self._found["patch_embedding.bias"] = (dim,)
        for number in range(int(config["num_layers"])):
            self._block(f"blocks.{number}")
        vace = config.get("vace_layers") or ()
        if vace:
            self._found["vace_patch_embedding.weight"] = (dim, int(config["vace_in_channels"]), *patch)
            self._found["vace_patch_embedding.bias"] = (dim,)
        for number in range(len(vace)):
            name = f"vace_blocks.{number}"
            self._block(name)
            if number == 0:
                self._linear(f"{name}.proj_in", dim, dim)
            self._linear(f"{name}.proj_out", dim, dim)
        self._linear("proj_out", int(config.get("out_channels") or channels) * prod(patch), dim)
        self._found["scale_shift_table"] = (1, 2, dim)
        return self._found

    def _linear(self, name: str, out: int, into: int) -> None:
        self._found[f"{name}.weight"] = (out, into)
        self._found[f"{name}.bias"] = (out,)

    def _norm(self, name: str, size: int) -> None:
        self._found[f"{name}.weight"] = (size,)
        self._found[f"{name}.bias"] = (size,)

    def _embedders(self) -> None:
        config, dim = self._config, self._dim
        own = "condition_embedder"
        self._linear(f"{own}.time_embedder.linear_1", dim, int(config.get("freq_dim", 256)))
        self._linear(f"{own}.time_embedder.linear_2", dim, dim)
        self._linear(f"{own}.time_proj", 6 * dim, dim)
        self._linear(f"{own}.text_embedder.linear_1", dim, int(config.get("text_dim", 4096)))
        self._linear(f"{own}.text_embedder.linear_2", dim, dim)
        if config.get("image_dim") is not None:
            size, image = int(config["image_dim"]), f"{own}.image_embedder"
            self._norm(f"{image}.norm1", size)
            self._linear(f"{image}.ff.net.0.proj", size, size)
            self._linear(f"{image}.ff.net.2", dim, size)
            self._norm(f"{image}.norm2", dim)
            if config.get("pos_embed_seq_len") is not None:
                self._found[f"{image}.pos_embed"] = (1, int(config["pos_embed_seq_len"]), size)

    def _block(self, name: str) -> None:
        dim, hidden, image_dim = self._dim, int(self._config["ffn_dim"]), self._config.get("added_kv_proj_dim")
        for attention in ("attn1", "attn2"):
            for part in ("to_q", "to_k", "to_v", "to_out.0"):
                self._linear(f"{name}.{attention}.{part}", dim, dim)
            self._found[f"{name}.{attention}.norm_q.weight"] = (dim,)
            self._found[f"{name}.{attention}.norm_k.weight"] = (dim,)
        if image_dim is not None:
            self._linear(f"{name}.attn2.add_k_proj", dim, int(image_dim))
            self._linear(f"{name}.attn2.add_v_proj", dim, int(image_dim))
            self._found[f"{name}.attn2.norm_added_k.weight"] = (dim,)
        self._linear(f"{name}.ffn.net.0.proj", hidden, dim)
        self._linear(f"{name}.ffn.net.2", dim, hidden)
        if self._config.get("cross_attn_norm", True):
            self._norm(f"{name}.norm2", dim)
        self._found[f"{name}.scale_shift_table"] = (1, 6, dim)
