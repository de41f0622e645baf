"""Writes small weight files in the layouts people have, from networks of diffusers and transformers.

The names are written down here from the official architectures (`wan/modules/model.py`, `vace_model.py`, `vae.py`,
`vae2_2.py`, `t5.py`, `clip.py`) and llama.cpp's T5 names, apart from the engine's own tables.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy
import torch
from safetensors.torch import save_file

State = dict[str, torch.Tensor]

_ATTENTION = {"q": "to_q", "k": "to_k", "v": "to_v", "o": "to_out.0", "norm_q": "norm_q", "norm_k": "norm_k"}
_IMAGE_ATTENTION = {"k_img": "add_k_proj", "v_img": "add_v_proj", "norm_k_img": "norm_added_k"}
_BLOCK = {
    **{f"self_attn.{theirs}": f"attn1.{ours}" for theirs, ours in _ATTENTION.items()},
    **{f"cross_attn.{theirs}": f"attn2.{ours}" for theirs, ours in (_ATTENTION | _IMAGE_ATTENTION).items()},
    "norm3": "norm2",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "before_proj": "proj_in",
    "after_proj": "proj_out",
}
_TRANSFORMER = {
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
    "head.head": "proj_out",
}


def _both(table: dict[str, str]) -> dict[str, str]:
    return {f"{theirs}.{end}": f"{ours}.{end}" for theirs, ours in table.items() for end in ("weight", "bias")}


def _taken(state: State, names: dict[str, str]) -> State:
    """The tensors under their official names; every tensor must be named once."""
    made = {theirs: state[ours] for theirs, ours in names.items() if ours in state}
    assert len(made) == len(state), sorted(set(state) - set(names.values()))
    return made


def official_transformer(state: State, blocks: int = 8) -> State:
    """A WanTransformer3DModel or WanVACETransformer3DModel under Wan's own names."""
    names = _both(_TRANSFORMER)
    names["head.modulation"] = "scale_shift_table"
    names["img_emb.emb_pos"] = "condition_embedder.image_embedder.pos_embed"
    for kind in ("blocks", "vace_blocks"):
        for block in range(blocks):
            start = f"{kind}.{block}."
            names |= {start + theirs: start + ours for theirs, ours in _both(_BLOCK).items()}
            names[start + "modulation"] = start + "scale_shift_table"
    return _taken(state, names)


_RESIDUAL = {
    "residual.0.gamma": "norm1.gamma",
    "residual.3.gamma": "norm2.gamma",
    **_both({"residual.2": "conv1", "residual.6": "conv2", "shortcut": "conv_shortcut"}),
}
_RESAMPLE = _both({"resample.1": "resample.1", "time_conv": "time_conv"})


def _vae_ends() -> dict[str, str]:
    names = _both({"conv1": "quant_conv", "conv2": "post_quant_conv"})
    for half in ("encoder", "decoder"):
        names |= _both({f"{half}.conv1": f"{half}.conv_in", f"{half}.head.2": f"{half}.conv_out"})
        names[f"{half}.head.0.gamma"] = f"{half}.norm_out.gamma"
        middle, ours = f"{half}.middle.1.", f"{half}.mid_block.attentions.0."
        names |= {middle + "norm.gamma": ours + "norm.gamma"}
        names |= _both({middle + each: ours + each for each in ("to_qkv", "proj")})
        for theirs, resnet in ((0, 0), (2, 1)):
            names |= {
                f"{half}.middle.{theirs}.{a}": f"{half}.mid_block.resnets.{resnet}.{b}" for a, b in _RESIDUAL.items()
            }
    return names


def official_vae21(state: State) -> State:
    """A Wan 2.1 VAE: both halves are one long row of layers. Stages of 2 (down) or 3 (up) blocks, then a resampling."""
    names = _vae_ends()
    for place in range(11):
        start = f"encoder.downsamples.{place}."
        rows = _RESAMPLE if place in (2, 5, 8) else _RESIDUAL
        names |= {start + a: f"encoder.down_blocks.{place}.{b}" for a, b in rows.items()}
    for stage in range(4):
        for block in range(3):
            start, ours = f"decoder.upsamples.{4 * stage + block}.", f"decoder.up_blocks.{stage}.resnets.{block}."
            names |= {start + a: ours + b for a, b in _RESIDUAL.items()}
        start, ours = f"decoder.upsamples.{4 * stage + 3}.", f"decoder.up_blocks.{stage}.upsamplers.0."
        names |= {start + a: ours + b for a, b in _RESAMPLE.items()}
    return _taken(state, names)


def official_vae22(state: State) -> State:
    """A Wan 2.2 VAE: stages in stages, 2 (down) or 3 (up) blocks each, then a resampling but for the last."""
    names = _vae_ends()
    for stage in range(4):
        for half, word, count in (("encoder", "down", 2), ("decoder", "up", 3)):
            theirs, ours = f"{half}.{word}samples.{stage}.{word}samples.", f"{half}.{word}_blocks.{stage}."
            for block in range(count):
                names |= {f"{theirs}{block}.{a}": f"{ours}resnets.{block}.{b}" for a, b in _RESIDUAL.items()}
            names |= {f"{theirs}{count}.{a}": f"{ours}{word}sampler.{b}" for a, b in _RESAMPLE.items()}
    return _taken(state, names)


_UMT5 = {  # official, llama.cpp, transformers
    ("norm1", "attn_norm", "layer.0.layer_norm"),
    ("attn.q", "attn_q", "layer.0.SelfAttention.q"),
    ("attn.k", "attn_k", "layer.0.SelfAttention.k"),
    ("attn.v", "attn_v", "layer.0.SelfAttention.v"),
    ("attn.o", "attn_o", "layer.0.SelfAttention.o"),
    ("pos_embedding.embedding", "attn_rel_b", "layer.0.SelfAttention.relative_attention_bias"),
    ("norm2", "ffn_norm", "layer.1.layer_norm"),
    ("ffn.gate.0", "ffn_gate", "layer.1.DenseReluDense.wi_0"),
    ("ffn.fc1", "ffn_up", "layer.1.DenseReluDense.wi_1"),
    ("ffn.fc2", "ffn_down", "layer.1.DenseReluDense.wo"),
}


def umt5(state: State, layout: str) -> State:
    """A UMT5 encoder under the names of `official`, `llama` or `transformers` files, the word table once."""
    own = {name: tensor for name, tensor in state.items() if name != "encoder.embed_tokens.weight"}
    if layout == "transformers":
        return own
    column = ("official", "llama").index(layout)
    ends = (("token_embedding", "token_embd", "shared"), ("norm", "enc.output_norm", "encoder.final_layer_norm"))
    names = {f"{row[column]}.weight": f"{row[2]}.weight" for row in ends}
    for block in range(4):
        start = (f"blocks.{block}.", f"enc.blk.{block}.")[column]
        names |= {f"{start}{row[column]}.weight": f"encoder.block.{block}.{row[2]}.weight" for row in _UMT5}
    return _taken(own, names)


def official_clip(state: State) -> State:
    """The CLIP file of Wan: the vision half with queries, keys and values joined, and a text half that is not used."""
    made = {
        "visual.cls_embedding": state["embeddings.class_embedding"][None, None],
        "visual.pos_embedding": state["embeddings.position_embedding.weight"][None],
        "visual.patch_embedding.weight": state["embeddings.patch_embedding.weight"],
        "visual.head": torch.ones(3, 2),
        "log_scale": torch.ones([]),
        "textual.token_embedding.weight": torch.ones(4, 2),
    }
    block = {"norm1": "layer_norm1", "norm2": "layer_norm2", "mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2"}
    for end in ("weight", "bias"):
        made |= {f"visual.pre_norm.{end}": state[f"pre_layrnorm.{end}"]}
        made |= {f"visual.post_norm.{end}": state[f"post_layernorm.{end}"]}
        for number in range(2):
            theirs, ours = f"visual.transformer.{number}.", f"encoder.layers.{number}."
            joined = [state[f"{ours}self_attn.{each}_proj.{end}"] for each in "qkv"]
            made[f"{theirs}attn.to_qkv.{end}"] = torch.cat(joined)
            made[f"{theirs}attn.proj.{end}"] = state[f"{ours}self_attn.out_proj.{end}"]
            made |= {f"{theirs}{a}.{end}": state[f"{ours}{b}.{end}"] for a, b in block.items()}
    return made


def write_safetensors(path: Path, state: State, **metadata: str) -> Path:
    """A safetensors file of these tensors."""
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata=metadata)
    return path


def write_torch(path: Path, state: State) -> Path:
    """A torch file of these tensors."""
    torch.save(state, path)
    return path


def write_gguf(path: Path, state: State, types: dict[str, str], arch: str = "wan") -> Path:
    """A GGUF file. types: type by tensor, F32 for the rest; a tensor of bytes is written as it is."""
    writer = gguf.GGUFWriter(path, arch)
    for name, tensor in state.items():
        kind = gguf.GGMLQuantizationType[types.get(name, "F32")]
        if tensor.dtype == torch.uint8:
            writer.add_tensor(name, tensor.numpy(), raw_dtype=kind)
        elif kind == gguf.GGMLQuantizationType.BF16:
            bits = tensor.to(torch.bfloat16).contiguous().view(torch.uint8).reshape(*tensor.shape[:-1], -1)
            writer.add_tensor(name, bits.numpy(), raw_dtype=kind)
        elif kind == gguf.GGMLQuantizationType.F16:
            writer.add_tensor(name, tensor.to(torch.float16).numpy())
        else:
            writer.add_tensor(name, tensor.float().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def random_blocks(shape: tuple[int, int], kind: str, seed: int) -> torch.Tensor:
    """Random bytes that are a tensor of a quantised type, with small factors, so that the numbers stay small."""
    block, block_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    rng = numpy.random.default_rng(seed)
    blocks = rng.integers(0, 256, (shape[0] * shape[1] // block, block_bytes), dtype=numpy.uint8)
    factors = rng.uniform(0.0005, 0.002, (len(blocks), 2)).astype(numpy.float16)
    for number, at in enumerate(FACTORS[kind]):
        blocks[:, at : at + 2] = factors[:, number : number + 1].view(numpy.uint8)
    return torch.from_numpy(blocks.reshape(shape[0], -1))


FACTORS = {
    "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,),
    "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "IQ4_NL": (0,), "IQ4_XS": (0,),
}  # fmt: skip
"""Where the float16 factors lie in a block of each type, in bytes."""


def scaled_fp8(state: State, newer: bool) -> State:
    """Linear weights of blocks as fp8 with one factor each, in ComfyUI's older or newer kind."""
    made: State = {} if newer else {"scaled_fp8": torch.empty(2, dtype=torch.float8_e4m3fn)}
    for name, tensor in state.items():
        module = name.removesuffix(".weight")
        if not (name.endswith(".weight") and tensor.dim() == 2 and "block" in name and "bias" not in name):
            made[name] = tensor
            continue
        factor = tensor.abs().max() / 448
        made[name] = (tensor / factor).to(torch.float8_e4m3fn)
        if newer:
            said: dict[str, Any] = {"format": "float8_e4m3fn"}
            made[f"{module}.comfy_quant"] = torch.tensor(list(json.dumps(said).encode()), dtype=torch.uint8)
            made[f"{module}.weight_scale"] = factor
            made[f"{module}.input_scale"] = torch.tensor(1.0)
        else:
            made[f"{module}.scale_weight"] = factor.reshape(1)
            made[f"{module}.scale_input"] = torch.ones(1)
    return made
