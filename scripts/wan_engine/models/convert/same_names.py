"""Files with our networks' own names: diffusers' for transformer and VAE, transformers' for the encoders."""

from __future__ import annotations

from wan_engine.models.convert.layout import SameNames

DIFFUSERS = SameNames(
    name="diffusers",
    label="diffusers' names",
    kind="transformer",
    prefixes=("", "transformer."),
    signs=("blocks.0.attn1.to_q.weight", "condition_embedder.text_embedder.linear_1.weight"),
    landmarks={
        "patch": "patch_embedding.weight",
        "text": "condition_embedder.text_embedder.linear_1.weight",
        "time": "condition_embedder.time_embedder.linear_1.weight",
        "ffn": "blocks.0.ffn.net.0.proj.weight",
        "head": "proj_out.weight",
        "cross_norm": "blocks.0.norm2.weight",
        "image": "condition_embedder.image_embedder.ff.net.0.proj.weight",
        "position": "condition_embedder.image_embedder.pos_embed",
        "vace": "vace_patch_embedding.weight",
    },
    optional=("cross_norm", "image", "position", "vace"),
    blocks=("blocks.", "vace_blocks."),
)

DIFFUSERS_VAE = SameNames(
    name="diffusers-vae",
    label="diffusers' names",
    kind="vae",
    prefixes=("", "vae."),
    signs=("encoder.conv_in.weight", "post_quant_conv.weight", "decoder.up_blocks.0.resnets.0.norm1.gamma"),
    landmarks={
        "encoder_in": "encoder.conv_in.weight",
        "latent": "post_quant_conv.weight",
        "decoder_in": "decoder.conv_in.weight",
        "decoder_out": "decoder.conv_out.weight",
        "residual": "encoder.down_blocks.0.resnets.0.conv1.weight",
    },
    optional=("residual",),
    blocks=(),
)

TRANSFORMERS_UMT5 = SameNames(
    name="transformers-umt5",
    label="transformers' names, as in ComfyUI's files",
    kind="text_encoder",
    prefixes=("",),
    # T5 has position biases in its first block only, UMT5 in every one.
    signs=("shared.weight", "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"),
    landmarks={
        "words": "shared.weight",
        "bias": "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        "query": "encoder.block.0.layer.0.SelfAttention.q.weight",
        "gate": "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
    },
    blocks=("encoder.block.",),
    unused=("decoder.", "lm_head.", "spiece_model"),
)

TRANSFORMERS_CLIP = SameNames(
    name="transformers-clip",
    label="transformers' names, as in ComfyUI's files",
    kind="image_encoder",
    prefixes=("vision_model.", ""),
    signs=("embeddings.class_embedding", "encoder.layers.0.self_attn.q_proj.weight", "pre_layrnorm.weight"),
    landmarks={
        "positions": "embeddings.position_embedding.weight",
        "patch": "embeddings.patch_embedding.weight",
        "ffn": "encoder.layers.0.mlp.fc1.weight",
    },
    blocks=("encoder.layers.",),
    unused=("embeddings.position_ids",),
)
