"""Every LoRA layout, by numbers: the forward pass is that of W + weight * alpha / rank * B @ A computed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
import torch

from loras import (
    AROUND,
    ATTENTIONS,
    BLOCKS,
    IMAGE,
    IMAGES,
    OF_VACE,
    VACE,
    Change,
    Tensors,
    changed_by_hand,
    kohya_keys,
    make_change,
    make_transformer,
    our_names,
    peft_keys,
    run_transformer,
    write_lora,
)
from wan_engine.models.lora.adapters import Adapters

Named = Callable[[str], str]


@dataclass(frozen=True)
class Row:
    """One layout: which modules, how they are written, whether the file's alpha counts, and the model's sizes."""

    write: Callable[[Change, Named], Tensors]
    modules: Iterable[str] = BLOCKS
    alpha_counts: bool = False
    sizes: dict[str, Any] | None = None


def before(prefix: str) -> Named:
    return lambda name: prefix + name


def flat(prefix: str) -> Named:
    return lambda name: prefix + name.replace(".", "_")


def lora_dot_down(change: Change, ours: Named) -> Tensors:
    tensors = kohya_keys(change, before("transformer."), alphas=False)
    return {key.replace("lora_down", "lora.down").replace("lora_up", "lora.up"): t for key, t in tensors.items()}


ROWS = {
    "ai-toolkit, diffusion-pipe": Row(lambda change, ours: peft_keys(change, before("diffusion_model."))),
    "comfy, kijai": Row(lambda change, ours: kohya_keys(change, before("diffusion_model.")), alpha_counts=True),
    "lightx2v, causvid around the blocks": Row(
        lambda change, ours: kohya_keys(change, before("diffusion_model."), alphas=False), (*BLOCKS, *AROUND)
    ),
    "musubi": Row(lambda change, ours: kohya_keys(change, flat("lora_unet_")), alpha_counts=True),
    "musubi without alpha": Row(lambda change, ours: kohya_keys(change, flat("lora_unet_"), alphas=False)),
    "musubi, attention only": Row(
        lambda change, ours: kohya_keys(change, flat("lora_unet_")), ATTENTIONS[3:20], alpha_counts=True
    ),
    "diffusers": Row(lambda change, ours: peft_keys(change, lambda name: f"transformer.{ours(name)}")),
    "diffusers, old": Row(lora_dot_down),
    "no prefix": Row(lambda change, ours: peft_keys(change, before(""))),
    "no prefix, adapter default": Row(lambda change, ours: peft_keys(change, before(""), adapter="default.")),
    "pipe.dit": Row(lambda change, ours: peft_keys(change, before("pipe.dit."), adapter="default.")),
    "peft": Row(lambda change, ours: peft_keys(change, before("base_model.model."))),
    "peft around comfy": Row(lambda change, ours: peft_keys(change, before("base_model.model.diffusion_model."))),
    "comfy full": Row(lambda change, ours: peft_keys(change, before("model.diffusion_model."))),
    "diffusers names, no prefix": Row(lambda change, ours: peft_keys(change, ours)),
    "diffusers names, flat": Row(
        lambda change, ours: kohya_keys(change, lambda name: flat("lora_unet_")(ours(name))), alpha_counts=True
    ),
    "fun": Row(lambda change, ours: kohya_keys(change, flat("lora_unet__")), alpha_counts=True),
    "lycoris": Row(lambda change, ours: kohya_keys(change, flat("lycoris_")), alpha_counts=True),
    "alpha on embedders and head": Row(
        lambda change, ours: peft_keys(change, before("diffusion_model."), alphas=True), AROUND, alpha_counts=True
    ),
    "transformer and official names": Row(lambda change, ours: peft_keys(change, before("transformer."))),
    "vace blocks": Row(
        lambda change, ours: kohya_keys(change, before("diffusion_model.")), (*BLOCKS, *OF_VACE), True, VACE
    ),
    "vace blocks, flat": Row(lambda change, ours: kohya_keys(change, flat("lora_unet_")), OF_VACE, True, VACE),
    "t2v on vace": Row(lambda change, ours: peft_keys(change, before("diffusion_model.")), sizes=VACE),
    "t2v on i2v": Row(lambda change, ours: peft_keys(change, before("diffusion_model.")), sizes=IMAGE),
    "i2v": Row(lambda change, ours: kohya_keys(change, before("")), (*BLOCKS, *IMAGES), True, IMAGE),
    "patches": Row(lambda change, ours: kohya_keys(change, before("")), ("patch_embedding", *BLOCKS[:3]), True),
}


def close(first: torch.Tensor, second: torch.Tensor) -> bool:
    return torch.allclose(first, second, rtol=1e-4, atol=1e-5)


def check(transformer: Any, change: Change, path: Path) -> Adapters:
    """Apply the file at two weights and compare with the weights changed by hand; then take it out again."""
    twin, plain = deepcopy(transformer), run_transformer(transformer)
    tensors = {key: tensor.clone() for key, tensor in transformer.state_dict().items()}
    adapters = Adapters(transformer, torch.float32)
    for weight in (0.7, -0.4):
        expected = run_transformer(changed_by_hand(twin, change, weight))
        assert (expected - plain).abs().max() > 0.01, "a LoRA without effect proves nothing"
        adapters.use({path: weight})
        assert torch.allclose(run_transformer(transformer), expected, rtol=1e-4, atol=1e-5)
    adapters.use({path: 0.0})
    assert torch.equal(run_transformer(transformer), plain), "switched off"
    adapters.use({path: 1.0})
    adapters.remove()
    assert torch.equal(run_transformer(transformer), plain), "removed"
    after = transformer.state_dict()
    assert after.keys() == tensors.keys()
    assert all(torch.equal(after[key], tensor) for key, tensor in tensors.items())
    return adapters


@pytest.mark.parametrize("name", ROWS)
def test_layout(tmp_path: Path, name: str) -> None:
    row = ROWS[name]
    transformer = make_transformer(**(row.sizes or {}))
    change = make_change(transformer, row.modules)
    if not row.alpha_counts:
        change.scales = dict.fromkeys(change.pairs, 1.0)
    path = write_lora(tmp_path / "it.safetensors", row.write(change, our_names(transformer).__getitem__))
    check(transformer, change, path)


def full_lightx2v(change: Change, transformer: Any) -> Tensors:
    """As lightx2v and CausVid publish them: low rank, and additions to every bias, norm and modulation."""
    names, generator = our_names(transformer), torch.Generator().manual_seed(3)
    ours = {**names, **{f"blocks.{number}": f"blocks.{number}" for number in range(3)}, "head": ""}
    tensors = kohya_keys(change, before("diffusion_model."))

    def add(name: str, kind: str, own: str) -> None:
        parameter = f"{ours[name]}.{own}".removeprefix(".")
        shape = transformer.get_parameter(parameter).shape
        change.additions[parameter] = 0.1 * torch.randn(shape, generator=generator)
        tensors[f"diffusion_model.{name}.{kind}"] = change.additions[parameter]

    for module in [*change.pairs, "patch_embedding"]:
        add(module, "diff_b", "bias")
    for number in range(3):
        add(f"blocks.{number}", "diff_m", "scale_shift_table")
        add(f"blocks.{number}.norm3", "diff", "weight")
        add(f"blocks.{number}.norm3", "diff_b", "bias")
        add(f"blocks.{number}.self_attn.norm_q", "diff", "weight")
    add("head", "diff_m", "scale_shift_table")
    add("patch_embedding", "diff", "weight")
    return tensors


def test_additions_to_biases_norms_modulation_and_patches(tmp_path: Path) -> None:
    """An alpha scales the low-rank part alone."""
    transformer = make_transformer()
    change = make_change(transformer, [*BLOCKS, *AROUND])
    check(transformer, change, write_lora(tmp_path / "it.safetensors", full_lightx2v(change, transformer)))


@pytest.mark.parametrize("key", ["blocks.1.modulation.diff", "blocks.1.modulation.diff_m", "blocks.1.diff_m"])
def test_modulation_under_all_its_names(tmp_path: Path, key: str) -> None:
    transformer = make_transformer()
    change = Change(additions={"blocks.1.scale_shift_table": torch.full((1, 6, 24), 0.5)})
    check(transformer, change, write_lora(tmp_path / "it.safetensors", {key: torch.full((6, 24), 0.5)}))


def test_a_whole_weight_and_the_image_positions(tmp_path: Path) -> None:
    transformer = make_transformer(**IMAGE, pos_embed_seq_len=6)
    added = {
        "img_emb.emb_pos.diff": torch.full((1, 6, 14), 0.5),
        "img_emb.proj.0.diff": torch.arange(14.0),
        "head.head.diff": torch.eye(64, 24),
    }
    ours = ("condition_embedder.image_embedder.pos_embed", "condition_embedder.image_embedder.norm1.weight")
    change = Change(additions=dict(zip((*ours, "proj_out.weight"), added.values(), strict=True)))
    check(transformer, change, write_lora(tmp_path / "it.safetensors", added))


def test_ranks_and_alphas_that_differ_from_module_to_module(tmp_path: Path) -> None:
    """As in LoRAs extracted from a model by quantiles; blocks.1 and blocks.11 must not be taken for each other."""
    transformer = make_transformer(num_layers=12)
    modules = [f"blocks.{number}.cross_attn.{part}" for number in (0, 1, 2) for part in "qkvo"]
    change = make_change(transformer, ())
    for number, module in enumerate([*modules, "head.head", "text_embedding.0"]):
        part = make_change(transformer, [module], rank=1 + number % 5, alpha=2.0 + number % 3, seed=number)
        change.pairs |= part.pairs
        change.scales |= part.scales
    check(transformer, change, write_lora(tmp_path / "it.safetensors", kohya_keys(change, before("diffusion_model."))))


@pytest.mark.parametrize("conv", [True, False], ids=["as a convolution", "flat"])
def test_patches_stored_both_ways(tmp_path: Path, conv: bool) -> None:
    transformer = make_transformer()
    change = make_change(transformer, ["patch_embedding"])
    tensors = kohya_keys(change, flat("lora_unet_"))
    if conv:
        tensors["lora_unet_patch_embedding.lora_down.weight"] = change.pairs["patch_embedding"].down.view(
            4, 16, 1, 2, 2
        )
        tensors["lora_unet_patch_embedding.lora_up.weight"] = change.pairs["patch_embedding"].up.view(24, 4, 1, 1, 1)
    check(transformer, change, write_lora(tmp_path / "it.safetensors", tensors))


def test_scales_that_the_training_config_gives(tmp_path: Path) -> None:
    """diffusers writes it into the header, PEFT beside the weights; rank-stabilised LoRAs divide by the root."""
    transformer = make_transformer()
    change = make_change(transformer, ATTENTIONS, rank=4)
    special = "blocks.1.cross_attn.v"
    config = {"r": 4, "lora_alpha": 6, "use_rslora": True, "alpha_pattern": {"blocks.1.attn2.to_v": 3}}
    change.scales = {module: (3 if module == special else 6) / sqrt(4) for module in change.pairs}
    ours = our_names(transformer)
    metadata = {"lora_adapter_metadata": json.dumps({f"transformer.{name}": value for name, value in config.items()})}
    tensors = peft_keys(change, lambda name: f"transformer.{ours[name]}")
    check(transformer, change, write_lora(tmp_path / "it.safetensors", tensors, metadata))
    config["alpha_pattern"] = {special: 3}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    tensors = peft_keys(change, before("base_model.model."))
    check(transformer, change, write_lora(tmp_path / "adapter_model.safetensors", tensors))


def test_a_bias_of_the_up_matrix_is_scaled_with_it(tmp_path: Path) -> None:
    transformer = make_transformer()
    change = make_change(transformer, ["blocks.0.ffn.0"])
    bias = torch.linspace(-1, 1, 40)
    change.additions["blocks.0.ffn.net.0.proj.bias"] = change.scales["blocks.0.ffn.0"] * bias
    tensors = {**peft_keys(change, before(""), alphas=True), "blocks.0.ffn.0.lora_B.bias": bias}
    check(transformer, change, write_lora(tmp_path / "it.safetensors", tensors))


def test_two_at_once_each_with_its_weight(tmp_path: Path) -> None:
    transformer = make_transformer()
    twin, plain = deepcopy(transformer), run_transformer(transformer)
    first, second = make_change(transformer, BLOCKS, seed=1), make_change(transformer, [*ATTENTIONS, *AROUND], seed=2)
    one = write_lora(tmp_path / "one.safetensors", full_lightx2v(first, transformer))
    two = write_lora(tmp_path / "two.safetensors", kohya_keys(second, flat("lora_unet_")))
    adapters = Adapters(transformer, torch.float32)
    for weights in ((0.5, 0.8), (0.0, 0.8), (1.0, 0.0), (0.3, -0.2)):
        expected = run_transformer(changed_by_hand(changed_by_hand(twin, first, weights[0]), second, weights[1]))
        adapters.use({one: weights[0], two: weights[1]})
        assert torch.allclose(run_transformer(transformer), expected, rtol=1e-4, atol=1e-5)
    adapters.use({})
    assert torch.equal(run_transformer(transformer), plain)
