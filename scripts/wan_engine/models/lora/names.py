"""The names that LoRA files give a Wan model's modules, in any layout, become the names of the diffusers classes.

Trainers use three vocabularies (the official names, those of diffusers, both joined by underscores) under a dozen
prefixes. All are compared with every dot made an underscore, so one table answers for all of them.
"""

from __future__ import annotations

import re

_ATTENTION = {
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "o": "to_out.0",
    "norm_q": "norm_q",
    "norm_k": "norm_k",
    "k_img": "add_k_proj",
    "v_img": "add_v_proj",
    "norm_k_img": "norm_added_k",
}
_OF_BLOCK = {
    **{f"self_attn.{official}": f"attn1.{ours}" for official, ours in _ATTENTION.items()},
    **{f"cross_attn.{official}": f"attn2.{ours}" for official, ours in _ATTENTION.items()},
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "norm3": "norm2",
    "modulation": "scale_shift_table",
    # Of the blocks of a VACE module.
    "before_proj": "proj_in",
    "after_proj": "proj_out",
}
"""Official name inside a block, and that of diffusers. Source: diffusers' scripts/convert_wan_to_diffusers.py."""

_OUTSIDE = {
    "patch_embedding": "patch_embedding",
    "vace_patch_embedding": "vace_patch_embedding",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "img_emb.proj.0": "condition_embedder.image_embedder.norm1",
    "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "img_emb.proj.4": "condition_embedder.image_embedder.norm2",
    "img_emb.emb_pos": "condition_embedder.image_embedder.pos_embed",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
}

MODULATION = "scale_shift_table"


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _flat_table(names: dict[str, str]) -> dict[str, str]:
    """Both vocabularies, flattened; a name of diffusers stands for itself."""
    return {_flat(ours): ours for ours in names.values()} | {_flat(theirs): ours for theirs, ours in names.items()}


_FLAT_OF_BLOCK = _flat_table(_OF_BLOCK)
_FLAT_OUTSIDE = _flat_table(_OUTSIDE)

_PREFIX = re.compile(
    r"(base_model\.model|model\.diffusion_model|diffusion_model|pipe\.dit|dit|transformer|model|unet)\."
    r"|(lora_unet|lora_transformer|lycoris|diffusion_model)_+"
)
"""What stands before a module's name; several may be stacked, and VideoX-Fun writes two underscores. Not
`transformer_`: other video models have transformer_blocks."""

_BLOCK = re.compile(r"((?:vace_)?blocks)_([0-9]{1,4})_(.+)")
_BLOCK_ITSELF = re.compile(r"((?:vace_)?blocks)_([0-9]{1,4})")
_TEXT_ENCODER = re.compile(r"(base_model_model_)?(lora_te|text_encoder|te|cond_stage_model|text_model|t5)[0-9]?_")
_SECOND_EXPERT = re.compile(r"(base_model\.model\.|pipe\.)*transformer_2\.")


def diffusers_name(name: str) -> str:
    """The diffusers name of a module or parameter that a LoRA file names; "" if a Wan transformer has none such."""
    flat = without_prefixes(name)
    if found := _BLOCK.fullmatch(flat):
        blocks, number, rest = found.groups()
        inside = _FLAT_OF_BLOCK.get(rest, "")
        return f"{blocks}.{int(number)}.{inside}" if inside else ""
    return _FLAT_OUTSIDE.get(flat, "")


def modulation_name(name: str) -> str:
    """The modulation parameter of a block or of the head, which `.diff_m` keys name without it; "" if none."""
    if own := diffusers_name(name):
        return own if own.endswith(MODULATION) else ""
    flat = without_prefixes(name)
    if found := _BLOCK_ITSELF.fullmatch(flat):
        return f"{found[1]}.{int(found[2])}.{MODULATION}"
    return MODULATION if flat == "head" else ""


def without_prefixes(name: str) -> str:
    """The name joined by underscores, without what stands before a module of the transformer."""
    while found := _PREFIX.match(name):
        name = name[found.end() :]
    return _flat(name)


def is_text_encoder(name: str) -> bool:
    """Whether the module belongs to a text encoder, which Wan's LoRAs do not change."""
    return bool(_TEXT_ENCODER.match(_flat(name)))


def is_second_expert(name: str) -> bool:
    """Whether the name says by itself that it belongs to the second transformer of a pipeline."""
    return bool(_SECOND_EXPERT.match(name))
