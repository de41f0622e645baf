"""Names what a weight file is that no layout of ours fits: another model's checkpoint, or a Wan model we do not run."""

from __future__ import annotations

from collections.abc import Collection, Mapping

_SIGNS = (
    ("Wan Animate", ("face_adapter.fuser_blocks.", "motion_encoder.enc.")),
    ("Wan S2V (speech to video)", ("casual_audio_encoder.", "audio_injector.")),
    ("Wan with an audio adapter (MultiTalk, InfiniteTalk, HuMo or the like)", ("audio_proj.", "audio_model.")),
    ("Wan Fun-Control with a camera or reference adapter", ("control_adapter.", "ref_conv.")),
    ("SkyReels V2 (diffusion forcing)", ("fps_embedding.", "fps_projection.")),
    ("Wan with an extra image adapter", ("img_emb_2.", "ip_adapter.", "motion_proj.")),
)
"""Beginnings of names that relatives of Wan have besides Wan's own."""

_OTHERS = (
    ("Stable Diffusion 3", "joint_blocks.0.x_block.attn.qkv.weight"),
    ("HunyuanVideo", "txt_in.individual_token_refiner.blocks.0.self_attn_qkv.weight"),
    ("HunyuanVideo", "double_blocks.0.img_attn_qkv.weight"),
    ("Flux", "double_blocks.0.img_attn.qkv.weight"),
    ("Flux (diffusers' names)", "single_transformer_blocks.0.attn.to_q.weight"),
    ("Qwen-Image", "transformer_blocks.0.img_mod.1.weight"),
    ("LTX-Video", "patchify_proj.weight"),
    ("CogVideoX", "transformer_blocks.0.norm1.linear.weight"),
    ("Mochi", "blocks.0.attn.qkv_x.weight"),
    ("Cosmos", "blocks.0.adaln_modulation_cross_attn.1.weight"),
    ("a Stable Diffusion VAE", "decoder.up.0.block.0.norm1.weight"),
    ("a Stable Diffusion VAE (diffusers' names)", "decoder.up_blocks.0.resnets.0.norm1.weight"),
    ("a CLIP text encoder", "text_model.encoder.layers.0.self_attn.q_proj.weight"),
    ("a T5 text encoder, as Flux and Stable Diffusion 3 use; Wan needs UMT5", "shared.weight"),
    ("a T5 text encoder, as Flux and Stable Diffusion 3 use; Wan needs UMT5", "enc.blk.0.attn_q.weight"),
    ("a UNet of Stable Diffusion (diffusers' names)", "down_blocks.0.attentions.0.proj_in.weight"),
    ("a CLIP model in OpenCLIP's own names", "visual.transformer.resblocks.0.ln_1.weight"),
)
"""One name that tells each, after prefixes are taken away. An earlier one wins."""

_PREFIXES = ("", "model.diffusion_model.", "diffusion_model.", "model.", "first_stage_model.", "transformer.")
_UNET_INPUT = "input_blocks.0.0.weight"
_UNET_TEXTS = tuple(f"input_blocks.{stage}.1.transformer_blocks.0.attn2.to_k.weight" for stage in (1, 4))
"""Where a UNet takes the text in: its width tells the kind. Stable Diffusion XL has no attention in the first stage."""
_UNET_KINDS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}

LORA_SIGNS = (".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.", ".lora_a.", ".lora_b.", ".hada_w1_", ".lokr_w")


def is_lora(names: Collection[str]) -> bool:
    """Whether these are the tensors of a LoRA, of any model."""
    joined = "\n".join(names)
    return any(sign in joined for sign in LORA_SIGNS)


def relative_of_wan(names: Collection[str], prefix: str) -> str:
    """Which relative of Wan's transformer has tensors of these names besides Wan's own; "" for Wan itself."""
    joined = "\n" + "\n".join(names)
    return next((label for label, starts in _SIGNS if any(f"\n{prefix}{start}" in joined for start in starts)), "")


def name_stranger(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """What model a file of these tensors is, as far as can be told; "" if it cannot."""
    for prefix in _PREFIXES:
        if prefix + _UNET_INPUT in shapes:
            widths = [shapes[prefix + name][-1:] for name in _UNET_TEXTS if prefix + name in shapes]
            known = [_UNET_KINDS[size] for width in widths for size in width if size in _UNET_KINDS]
            return known[0] if known else "Stable Diffusion"
    for label, sign in _OTHERS:
        if any(prefix + sign in shapes for prefix in _PREFIXES):
            return label
    return ""
