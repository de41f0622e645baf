"""Writes weight files with the headers of published models: real names, shapes and lengths, the weights a hole."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from math import prod
from pathlib import Path

Shapes = Mapping[str, Sequence[int]]

_BYTES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1}


def write_sparse(path: Path, shapes: Shapes, dtype: str = "BF16", **metadata: str) -> Path:
    """A safetensors file of the full length that takes no room on disk."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + prod(shape) * _BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return path


@cache
def transformer(kind: str = "t2v-1.3b", vace: bool = False) -> dict[str, tuple[int, ...]]:
    """Names and shapes of t2v-1.3b, t2v-14b, i2v-14b, i2v-a14b or ti2v-5b, or of the VACE blocks for one."""
    dim, layers, ffn = {"1.3b": (1536, 30, 8960), "5b": (3072, 30, 14336)}.get(
        kind.rpartition("-")[2], (5120, 40, 13824)
    )
    channels = {"t2v": 16, "i2v": 36, "ti2v": 48}[kind.partition("-")[0]]
    out = 48 if channels == 48 else 16
    if vace:
        count = 15 if layers == 30 else 8
        blocks = {f"vace_blocks.{index}.{name}": shape for index in range(count) for name, shape in _block(dim, ffn)}
        ends = {"vace_patch_embedding.weight": (dim, 96, 1, 2, 2), "vace_patch_embedding.bias": (dim,)}
        for name in ("before_proj", "after_proj"):
            for index in range(count) if name == "after_proj" else (0,):
                ends |= {f"vace_blocks.{index}.{name}.weight": (dim, dim), f"vace_blocks.{index}.{name}.bias": (dim,)}
        return blocks | ends
    made: dict[str, tuple[int, ...]] = {
        "patch_embedding.weight": (dim, channels, 1, 2, 2),
        "patch_embedding.bias": (dim,),
        "head.head.weight": (out * 4, dim),
        "head.head.bias": (out * 4,),
        "head.modulation": (1, 2, dim),
        **_layer("text_embedding.0", dim, 4096),
        **_layer("text_embedding.2", dim, dim),
        **_layer("time_embedding.0", dim, 256),
        **_layer("time_embedding.2", dim, dim),
        **_layer("time_projection.1", 6 * dim, dim),
    }
    image = kind == "i2v-14b"
    for index in range(layers):
        made |= {f"blocks.{index}.{name}": shape for name, shape in _block(dim, ffn, image)}
    if image:
        made |= {"img_emb.proj.0.weight": (1280,), "img_emb.proj.0.bias": (1280,)}
        made |= {"img_emb.proj.4.weight": (dim,), "img_emb.proj.4.bias": (dim,)}
        made |= {**_layer("img_emb.proj.1", 1280, 1280), **_layer("img_emb.proj.3", dim, 1280)}
    return made


def _layer(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _block(dim: int, ffn: int, image: bool = False) -> list[tuple[str, tuple[int, ...]]]:
    made: dict[str, tuple[int, ...]] = {"modulation": (1, 6, dim), "norm3.weight": (dim,), "norm3.bias": (dim,)}
    for attention in ("self_attn", "cross_attn"):
        for each in "qkvo":
            made |= _layer(f"{attention}.{each}", dim, dim)
        made |= {f"{attention}.norm_q.weight": (dim,), f"{attention}.norm_k.weight": (dim,)}
    if image:
        made |= {**_layer("cross_attn.k_img", dim, dim), **_layer("cross_attn.v_img", dim, dim)}
        made["cross_attn.norm_k_img.weight"] = (dim,)
    made |= {**_layer("ffn.0", ffn, dim), **_layer("ffn.2", dim, ffn)}
    return list(made.items())


@cache
def umt5() -> dict[str, tuple[int, ...]]:
    """UMT5-XXL's encoder with ComfyUI's names and its tokenizer in it."""
    made: dict[str, tuple[int, ...]] = {"shared.weight": (256384, 4096), "encoder.final_layer_norm.weight": (4096,)}
    for index in range(24):
        start = f"encoder.block.{index}.layer"
        for each in "qkvo":
            made[f"{start}.0.SelfAttention.{each}.weight"] = (4096, 4096)
        made[f"{start}.0.SelfAttention.relative_attention_bias.weight"] = (32, 64)
        made |= {f"{start}.{number}.layer_norm.weight": (4096,) for number in (0, 1)}
        for each, shape in (("wi_0", (10240, 4096)), ("wi_1", (10240, 4096)), ("wo", (4096, 10240))):
            made[f"{start}.1.DenseReluDense.{each}.weight"] = shape
    return made


def vae(channels: int = 16) -> dict[str, tuple[int, ...]]:
    """Wan's VAE under official names, of Wan 2.1 (16 channels) or of Wan 2.2 (48)."""
    import torch
    from diffusers import AutoencoderKLWan

    from checkpoints import official_vae21, official_vae22

    large = {"base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "patch_size": 2}
    with torch.device("meta"):
        model = AutoencoderKLWan(**(large | {"in_channels": 12, "out_channels": 12} if channels == 48 else {}))
    names = (official_vae22 if channels == 48 else official_vae21)(model.state_dict())
    return {name: tuple(tensor.shape) for name, tensor in names.items()}


CLIP = {
    "vision_model.embeddings.class_embedding": (1280,),
    "vision_model.embeddings.position_embedding.weight": (257, 1280),
    "vision_model.embeddings.patch_embedding.weight": (1280, 3, 14, 14),
    **{
        f"vision_model.{name}.{end}": (1280,)
        for name in ("pre_layrnorm", "post_layernorm")
        for end in ("weight", "bias")
    },
    **{
        f"vision_model.encoder.layers.{index}.{name}": shape
        for index in range(32)
        for name, shape in {
            **{f"layer_norm{number}.{end}": (1280,) for number in (1, 2) for end in ("weight", "bias")},
            **{
                key: value
                for each in ("q_proj", "k_proj", "v_proj", "out_proj")
                for key, value in _layer(f"self_attn.{each}", 1280, 1280).items()
            },
            **_layer("mlp.fc1", 5120, 1280),
            **_layer("mlp.fc2", 1280, 5120),
        }.items()
    },
}
"""OpenCLIP ViT-H/14's vision half with the names of transformers."""
