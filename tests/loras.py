"""Tiny Wan transformers and LoRA files for them in every layout found in the wild, from one set of random matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

SIZES: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "in_channels": 16,
    "out_channels": 16,
    "text_dim": 20,
    "freq_dim": 32,
    "ffn_dim": 40,
    "num_layers": 3,
    "rope_max_seq_len": 32,
}
IMAGE = {"in_channels": 36, "image_dim": 14, "added_kv_proj_dim": 24}
VACE = {"vace_layers": [0, 2], "vace_in_channels": 96}

ATTENTION = [f"{attention}.{part}" for attention in ("self_attn", "cross_attn") for part in "qkvo"]
IN_BLOCK = [*ATTENTION, "ffn.0", "ffn.2"]
ATTENTIONS = tuple(f"blocks.{number}.{name}" for number in range(3) for name in ATTENTION)
BLOCKS = tuple(f"blocks.{number}.{name}" for number in range(3) for name in IN_BLOCK)
EMBEDDERS = ("text_embedding.0", "text_embedding.2", "time_embedding.0", "time_embedding.2", "time_projection.1")
AROUND = (*EMBEDDERS, "head.head")
IMAGES = (
    *(f"blocks.{number}.cross_attn.{part}" for number in range(3) for part in ("k_img", "v_img")),
    *("img_emb.proj.1", "img_emb.proj.3"),
)
OF_VACE = (
    "vace_blocks.0.before_proj",
    *(f"vace_blocks.{number}.{name}" for number in range(2) for name in [*IN_BLOCK, "after_proj"]),
)


def make_transformer(seed: int = 0, **changes: Any) -> Any:
    """A tiny WanTransformer3DModel, or with `vace_layers` a WanVACETransformer3DModel, in float32."""
    from diffusers import WanTransformer3DModel, WanVACETransformer3DModel

    kind = WanVACETransformer3DModel if "vace_layers" in changes else WanTransformer3DModel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(**{**SIZES, **changes}).eval().requires_grad_(False)


def run_transformer(transformer: Any) -> torch.Tensor:
    """What the transformer makes of one fixed input of its shape."""
    config, generator = transformer.config, torch.Generator().manual_seed(7)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(transformer.patch_embedding.bias.dtype)

    inputs: dict[str, Any] = {
        "hidden_states": noise(1, config.in_channels, 2, 4, 4),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": noise(1, 5, config.text_dim),
    }
    if config.image_dim is not None:
        pictures = 1 if config.pos_embed_seq_len is None else 2
        inputs["encoder_hidden_states_image"] = noise(pictures, 6 // pictures, config.image_dim)
    if hasattr(transformer, "vace_blocks"):
        inputs["control_hidden_states"] = noise(1, config.vace_in_channels, 2, 4, 4)
    with torch.no_grad():
        result: torch.Tensor = transformer(**inputs, return_dict=False)[0]
    return result


def our_names(transformer: Any) -> dict[str, str]:
    """The diffusers name of every module with a weight, by its official name: told by diffusers' own conversion."""
    from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers

    names = [*BLOCKS, *AROUND, *IMAGES, *OF_VACE, "patch_embedding", "vace_patch_embedding"]
    names += [f"blocks.{number}.{norm}" for number in range(3) for norm in ("norm3", "self_attn.norm_q")]
    numbered = {f"{name}.weight": torch.tensor(number) for number, name in enumerate(names)}
    converted = convert_wan_transformer_to_diffusers(dict(numbered))
    there = set(transformer.state_dict())
    return {names[int(number)]: key.removesuffix(".weight") for key, number in converted.items() if key in there}


@dataclass(frozen=True)
class Pair:
    """The two matrices of one module's change, float32, and the alpha that the layout may write."""

    down: torch.Tensor
    up: torch.Tensor
    alpha: float

    @property
    def rank(self) -> int:
        return int(self.down.shape[0])


@dataclass
class Change:
    """A LoRA as numbers: pairs by official module name, additions by diffusers parameter name; scale by module."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)
    additions: dict[str, torch.Tensor] = field(default_factory=dict)


def make_change(transformer: Any, modules: Iterable[str], rank: int = 4, alpha: float = 6.0, seed: int = 1) -> Change:
    """Random pairs for the modules, which the transformer must have."""
    names, generator = our_names(transformer), torch.Generator().manual_seed(seed)
    change = Change()
    for module in modules:
        weight = transformer.get_submodule(names[module]).weight
        out, into = weight.shape[0], weight[0].numel()
        down = torch.randn(rank, into, generator=generator) / into**0.5
        up = torch.randn(out, rank, generator=generator) / rank**0.5
        change.pairs[module] = Pair(down, up, alpha)
        change.scales[module] = alpha / rank
    return change


def changed_by_hand(transformer: Any, change: Change, weight: float = 1.0) -> Any:
    """A copy of the transformer with W + weight * scale * up @ down, and everything that is added, in its weights."""
    copy, names = deepcopy(transformer), our_names(transformer)
    parameters = dict(copy.named_parameters())
    with torch.no_grad():
        for module, pair in change.pairs.items():
            target = parameters[f"{names[module]}.weight"]
            target += (weight * change.scales[module] * (pair.up @ pair.down)).reshape(target.shape)
        for name, tensor in change.additions.items():
            parameters[name] += weight * tensor.reshape(parameters[name].shape)
    return copy


Tensors = dict[str, torch.Tensor]


def peft_keys(change: Change, name: Callable[[str], str], adapter: str = "", alphas: bool = False) -> Tensors:
    """`lora_A` and `lora_B` under the names that `name` gives the modules."""
    tensors: Tensors = {}
    for module, pair in change.pairs.items():
        tensors[f"{name(module)}.lora_A.{adapter}weight"] = pair.down
        tensors[f"{name(module)}.lora_B.{adapter}weight"] = pair.up
        if alphas:
            tensors[f"{name(module)}.alpha"] = torch.tensor(pair.alpha)
    return tensors


def kohya_keys(change: Change, name: Callable[[str], str], alphas: bool = True) -> Tensors:
    """`lora_down`, `lora_up` and `alpha` under the names that `name` gives the modules."""
    tensors: Tensors = {}
    for module, pair in change.pairs.items():
        tensors[f"{name(module)}.lora_down.weight"] = pair.down
        tensors[f"{name(module)}.lora_up.weight"] = pair.up
        if alphas:
            tensors[f"{name(module)}.alpha"] = torch.tensor(pair.alpha)
    return tensors


def write_lora(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
    """Write the file and give its path."""
    save_file({key: tensor.clone().contiguous() for key, tensor in tensors.items()}, path, metadata=metadata)
    return path
