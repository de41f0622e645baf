"""The configs of Wan's networks in diffusers' and transformers' words, from the shapes of a few tensors. Pure data.

What the shapes tell (sizes, channels, layers) is taken from them, so that a small network of the same layout is
understood too. The rest are constants of the published models; sources: the config.json files of the diffusers
conversions (Wan-AI/*-Diffusers) and the official repositories' `wan/configs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of a few tensors, by what they are for; the layouts of `models.convert` name them."""

HEAD_SIZE = 128
"""Size of an attention head in every published Wan transformer."""
CLIP_HEAD_SIZE = 80
"""Size of an attention head in OpenCLIP ViT-H/14."""
TINY_DIM = 1024


class OddFiguresError(Exception):
    """The shapes are of no network we know; the message says why."""


@dataclass(frozen=True)
class Variant:
    """The figures of one published transformer.

    family: its key in `families.FAMILIES`, or of the same kind where the engine has no such family.
    image: it takes CLIP's picture of the start.  tokens: CLIP's tokens for two pictures, 514, or None.
    vace: number of VACE blocks.
    """

    family: str
    label: str
    dim: int
    layers: int
    ffn_dim: int
    in_channels: int
    out_channels: int = 16
    image: bool = False
    tokens: int | None = None
    vace: int = 0


VARIANTS = (
    Variant("wan2.1-t2v-1.3b", "Wan 2.1 T2V 1.3B", 1536, 30, 8960, 16),
    Variant("wan2.1-t2v-14b", "Wan 2.1 T2V 14B", 5120, 40, 13824, 16),
    Variant("wan2.2-t2v-a14b", "one expert of Wan 2.2 T2V A14B", 5120, 40, 13824, 16),
    Variant("wan2.1-i2v-14b", "Wan 2.1 I2V 14B", 5120, 40, 13824, 36, image=True),
    Variant("wan2.1-fun-inp-14b", "Wan 2.1 Fun-InP 14B", 5120, 40, 13824, 36, image=True),
    Variant("wan2.1-flf2v-14b", "Wan 2.1 FLF2V 14B", 5120, 40, 13824, 36, image=True, tokens=514),
    Variant("wan2.2-i2v-a14b", "one expert of Wan 2.2 I2V A14B", 5120, 40, 13824, 36),
    Variant("wan2.2-fun-inp-a14b", "one expert of Wan 2.2 Fun-InP A14B", 5120, 40, 13824, 36),
    Variant("wan2.1-fun-inp-1.3b", "Wan 2.1 Fun-InP 1.3B", 1536, 30, 8960, 36, image=True),
    Variant("wan2.1-vace-1.3b", "Wan 2.1 VACE 1.3B", 1536, 30, 8960, 16, vace=15),
    Variant("wan2.1-vace-14b", "Wan 2.1 VACE 14B", 5120, 40, 13824, 16, vace=8),
    Variant("wan2.2-vace-fun-a14b", "one expert of Wan 2.2 VACE-Fun A14B", 5120, 40, 13824, 16, vace=8),
    Variant("wan2.2-ti2v-5b", "Wan 2.2 TI2V 5B", 3072, 30, 14336, 48, 48),
)
"""Several have the same figures; then all of them are named, for no shape tells them apart."""

VACE_MODULES = {
    (1536, 15): ("wan2.1-vace-1.3b",),
    (5120, 8): ("wan2.1-vace-14b", "wan2.2-vace-fun-a14b"),
}
"""The families that VACE blocks alone belong to, by dim and number of blocks."""


def variants_of(config: Mapping[str, Any]) -> tuple[Variant, ...]:
    """The published transformers with the figures of this config; empty for none."""
    dim = config["num_attention_heads"] * config["attention_head_dim"]
    figures = (dim, config["num_layers"], config["ffn_dim"], config["in_channels"], config["out_channels"])
    extra = (config["image_dim"] is not None, config["pos_embed_seq_len"], len(config.get("vace_layers", ())))
    return tuple(
        each
        for each in VARIANTS
        if (each.dim, each.layers, each.ffn_dim, each.in_channels, each.out_channels) == figures
        and (each.image, each.tokens, each.vace) == extra
    )


def published_config(variant: Variant) -> dict[str, Any]:
    """The config of a published transformer, as far as the shapes of its weights depend on it."""
    return {
        "num_attention_heads": variant.dim // HEAD_SIZE,
        "attention_head_dim": HEAD_SIZE,
        "in_channels": variant.in_channels,
        "out_channels": variant.out_channels,
        "text_dim": 4096,
        "freq_dim": 256,
        "ffn_dim": variant.ffn_dim,
        "num_layers": variant.layers,
        "image_dim": 1280 if variant.image else None,
        "added_kv_proj_dim": variant.dim if variant.image else None,
        "pos_embed_seq_len": variant.tokens,
        **(vace_config(variant.vace, variant.layers, 96) if variant.vace else {}),
    }


def transformer_config(shapes: Shapes, blocks: int, vace_blocks: int) -> dict[str, Any]:
    """The config of a WanTransformer3DModel, or of a WanVACETransformer3DModel if there are VACE blocks.

    Raises OddFiguresError for a width that is no whole number of heads.
    """
    dim, in_channels, *patch = shapes["patch"]
    if dim % HEAD_SIZE or not dim or not blocks:
        raise OddFiguresError(f"its width of {dim} is no whole number of heads of {HEAD_SIZE}")
    image = shapes.get("image")
    position = shapes.get("position")
    config: dict[str, Any] = {
        "_class_name": "WanTransformer3DModel",
        "patch_size": patch,
        "num_attention_heads": dim // HEAD_SIZE,
        "attention_head_dim": HEAD_SIZE,
        "in_channels": in_channels,
        "out_channels": shapes["head"][0] // (patch[0] * patch[1] * patch[2]),
        "text_dim": shapes["text"][1],
        "freq_dim": shapes["time"][1],
        "ffn_dim": shapes["ffn"][0],
        "num_layers": blocks,
        "cross_attn_norm": "cross_norm" in shapes,
        "qk_norm": "rms_norm_across_heads",
        "eps": 1e-6,
        "image_dim": image[0] if image else None,
        "added_kv_proj_dim": dim if image else None,
        "rope_max_seq_len": 1024,
        "pos_embed_seq_len": position[1] if position else None,
    }
    if vace_blocks and "vace" not in shapes:
        raise OddFiguresError("it has VACE blocks, but vace_patch_embedding.weight is missing")
    return config | (vace_config(vace_blocks, blocks, shapes["vace"][1]) if vace_blocks else {})


def vace_config(vace_blocks: int, blocks: int, channels: int) -> dict[str, Any]:
    """What VACE blocks add to a transformer's config. They are spread evenly: 0, 2, … of 30 or 0, 5, … of 40."""
    if vace_blocks > blocks:
        raise OddFiguresError(f"it has {vace_blocks} VACE blocks for {blocks} blocks")
    step = blocks // vace_blocks
    return {
        "_class_name": "WanVACETransformer3DModel",
        "vace_layers": [index * step for index in range(vace_blocks)],
        "vace_in_channels": channels,
    }


def vace_module_config(shapes: Shapes, vace_blocks: int) -> dict[str, Any]:
    """What VACE blocks without a transformer tell: dim, ffn_dim, vace_in_channels and vace_blocks, their number."""
    dim, channels = shapes["vace"][:2]
    return {"dim": dim, "ffn_dim": shapes["ffn"][0], "vace_in_channels": channels, "vace_blocks": vace_blocks}


def vae_config(shapes: Shapes, residual: bool) -> dict[str, Any]:
    """The config of an AutoencoderKLWan. residual: it is of Wan 2.2's kind. Raises OddFiguresError."""
    base, channels = shapes["encoder_in"][:2]
    z_dim = shapes["latent"][0]
    if z_dim not in (16, 48):
        raise OddFiguresError(f"its latents have {z_dim} channels, not 16 (Wan 2.1) or 48 (Wan 2.2)")
    config: dict[str, Any] = {
        "_class_name": "AutoencoderKLWan",
        "base_dim": base,
        "decoder_base_dim": shapes["decoder_in"][0] // 4,
        "z_dim": z_dim,
        "dim_mult": [1, 2, 4, 4],
        "num_res_blocks": 2,
        "attn_scales": [],
        "temperal_downsample": [False, True, True],
        "dropout": 0.0,
        "is_residual": residual,
        "in_channels": channels,
        "out_channels": shapes["decoder_out"][0],
        "patch_size": 2 if residual else None,
        "scale_factor_temporal": 4,
        "scale_factor_spatial": 16 if residual else 8,
    }
    mean, std = (LATENTS_MEAN_48, LATENTS_STD_48) if z_dim == 48 else (LATENTS_MEAN_16, LATENTS_STD_16)
    return {**config, "latents_mean": list(mean), "latents_std": list(std)}


def umt5_config(shapes: Shapes, blocks: int) -> dict[str, Any]:
    """The config of a UMT5EncoderModel."""
    buckets, heads = shapes["bias"]
    vocabulary, dim = shapes["words"]
    return {
        "_class_name": "UMT5EncoderModel",
        "vocab_size": vocabulary,
        "d_model": dim,
        "d_kv": shapes["query"][0] // max(heads, 1),
        "d_ff": shapes["gate"][0],
        "num_layers": blocks,
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
        "relative_attention_max_distance": 128,
        "feed_forward_proj": "gated-gelu",
        "layer_norm_epsilon": 1e-6,
        "dropout_rate": 0.1,
        "tie_word_embeddings": True,
    }


def clip_config(shapes: Shapes, blocks: int) -> dict[str, Any]:
    """The config of a CLIPVisionModel. Raises OddFiguresError for sizes that are no square picture."""
    tokens, dim = shapes["positions"][-2:]
    patch = shapes["patch"][-1]
    side = isqrt(max(tokens - 1, 0))
    if side * side != tokens - 1 or dim % CLIP_HEAD_SIZE or not dim:
        raise OddFiguresError(f"it has {tokens} tokens of width {dim}, unlike OpenCLIP ViT-H/14")
    return {
        "_class_name": "CLIPVisionModel",
        "hidden_size": dim,
        "intermediate_size": shapes["ffn"][0],
        "projection_dim": 1024,
        "num_hidden_layers": blocks,
        "num_attention_heads": dim // CLIP_HEAD_SIZE,
        "image_size": side * patch,
        "patch_size": patch,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
    }


LATENTS_MEAN_16 = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
LATENTS_STD_16 = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip
LATENTS_MEAN_48 = (
    -0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557, -0.1382, 0.0542, 0.2813, 0.0891,
    0.1570, -0.0098, 0.0375, -0.1825, -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108, -0.2158, 0.2502,
    -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230, -0.0313, -0.1649, 0.0117, 0.0723,
    -0.2839, -0.2083, -0.0520, 0.3748, 0.0152, 0.1957, 0.1433, -0.2944, 0.3573, -0.0548, -0.1681, -0.0667,
)  # fmt: skip
LATENTS_STD_48 = (
    0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901,
    0.6885, 0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659,
    0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944,
    0.5726, 1.2042, 0.5458, 1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744,
)  # fmt: skip
"""Mean and deviation of the latents' channels: `wan/modules/vae.py` of Wan 2.1 and `vae2_2.py` of Wan 2.2."""
