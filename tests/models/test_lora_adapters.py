"""LoRAs on transformers that are quantised, stored in 8 bits, offloaded by groups or in 16 bits."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

from loras import (
    AROUND,
    BLOCKS,
    Change,
    changed_by_hand,
    kohya_keys,
    make_change,
    make_transformer,
    run_transformer,
    write_lora,
)
from wan_engine.errors import ModelError
from wan_engine.models.lora.adapters import Adapters, use_loras

GGUF_SIZES = {"attention_head_dim": 16, "ffn_dim": 64, "text_dim": 32}
"""Q8_0 packs 32 numbers."""


@pytest.fixture
def lora(tmp_path: Path) -> tuple[Path, Change]:
    return written(tmp_path, make_transformer())


def written(folder: Path, transformer: Any) -> tuple[Path, Change]:
    """A LoRA with low-rank parts and additions, 4 times as strong as in the proofs."""
    change = make_change(transformer, [*BLOCKS, *AROUND], alpha=24.0)
    tensors = kohya_keys(change, lambda name: f"diffusion_model.{name}")
    shift = torch.full((1, 6, transformer.config.attention_head_dim * 2), 0.25)
    bias = torch.full((transformer.config.ffn_dim,), -0.5)
    for number in range(3):
        change.additions[f"blocks.{number}.scale_shift_table"] = shift
        tensors[f"diffusion_model.blocks.{number}.diff_m"] = shift
        change.additions[f"blocks.{number}.ffn.net.0.proj.bias"] = bias
        tensors[f"diffusion_model.blocks.{number}.ffn.0.diff_b"] = bias
    return write_lora(folder / "it.safetensors", tensors), change


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.float() - expected).norm() / expected.norm())


def in_16_bits(transformer: Any, folder: Path) -> Any:
    """The transformer as diffusers loads it in bfloat16: what must be is kept in float32."""
    transformer.save_pretrained(folder / "transformer")
    loaded = type(transformer).from_pretrained(folder / "transformer", torch_dtype=torch.bfloat16)
    return loaded.requires_grad_(False)


def test_in_16_bits(tmp_path: Path, lora: tuple[Path, Change]) -> None:
    """As near to the exact result as the model itself is in 16 bits, and gone bit for bit."""
    path, change = lora
    transformer = make_transformer()
    expected = run_transformer(changed_by_hand(transformer, change))
    rounded = in_16_bits(transformer, tmp_path)
    plain = run_transformer(rounded)
    adapters = Adapters(rounded, torch.bfloat16)
    adapters.use({path: 1.0})
    assert error(run_transformer(rounded), expected) < 0.03
    assert error(plain, expected) > 0.3
    kinds = {name.split(".lora_")[0]: tensor.dtype for name, tensor in rounded.named_parameters() if ".lora_" in name}
    assert {name for name, kind in kinds.items() if kind == torch.float32} == {
        f"condition_embedder.time_embedder.linear_{number}" for number in (1, 2)
    }
    assert not any(tensor.requires_grad for tensor in rounded.parameters())
    adapters.use({})
    assert torch.equal(run_transformer(rounded), plain)


def test_weights_stored_in_8_bits(tmp_path: Path, lora: tuple[Path, Change]) -> None:
    """The low-rank parts keep their 16 bits: in 8 they would be another LoRA."""
    path, _ = lora
    transformer = in_16_bits(make_transformer(), tmp_path)
    cast = deepcopy(transformer)
    cast.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.bfloat16)
    weight = cast.get_submodule("blocks.0.attn1.to_q").weight
    assert weight.dtype == torch.float8_e4m3fn
    plain = run_transformer(cast)
    exact, adapters = Adapters(transformer, torch.bfloat16), Adapters(cast, torch.bfloat16)
    exact.use({path: 1.0})
    adapters.use({path: 1.0})
    assert error(run_transformer(cast), run_transformer(transformer).float()) < 0.1
    layer = cast.get_submodule("blocks.0.attn1.to_q")
    assert next(iter(layer.lora_A.values())).weight.dtype == torch.bfloat16
    adapters.remove()
    assert torch.equal(run_transformer(cast), plain)
    assert cast.get_submodule("blocks.0.attn1.to_q").weight is weight


def quantised(transformer: Any) -> tuple[Any, Any]:
    """The transformer with its blocks' weights in Q8_0, as diffusers runs GGUF; and with the same numbers plainly."""
    from diffusers.quantizers.gguf.utils import GGUFLinear, GGUFParameter, dequantize_gguf_tensor
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    kind = GGMLQuantizationType.Q8_0
    packed, plain = deepcopy(transformer), deepcopy(transformer)
    for name, module in list(transformer.blocks.named_modules()):
        if not isinstance(module, torch.nn.Linear):
            continue
        parent, _, own = f"blocks.{name}".rpartition(".")
        blocks = quantize(module.weight.numpy(), kind)
        layer = GGUFLinear(module.in_features, module.out_features, bias=True, compute_dtype=torch.float32)
        layer.weight = GGUFParameter(torch.from_numpy(blocks), quant_type=kind)
        layer.bias = torch.nn.Parameter(module.bias.clone(), requires_grad=False)
        setattr(packed.get_submodule(parent), own, layer)
        plain.get_submodule(f"blocks.{name}").weight.copy_(dequantize_gguf_tensor(layer.weight))
    return packed.requires_grad_(False), plain


def test_on_a_gguf_model(tmp_path: Path) -> None:
    transformer = make_transformer(**GGUF_SIZES)
    packed, plain = quantised(transformer)
    before = run_transformer(packed)
    assert torch.allclose(before, run_transformer(plain), rtol=1e-4, atol=1e-5)
    path, change = written(tmp_path, transformer)
    adapters = Adapters(packed, torch.float32)
    adapters.use({path: 0.5})
    expected = run_transformer(changed_by_hand(plain, change, 0.5))
    assert error(expected, before) > 0.1
    assert torch.allclose(run_transformer(packed), expected, rtol=1e-4, atol=1e-5)
    adapters.remove()
    assert torch.equal(run_transformer(packed), before)


def test_a_whole_weight_cannot_be_added_to_a_quantised_one(tmp_path: Path) -> None:
    transformer = make_transformer(**GGUF_SIZES)
    packed, _ = quantised(transformer)
    before = run_transformer(packed)
    path = write_lora(tmp_path / "it.safetensors", {"blocks.0.ffn.0.diff": torch.ones(64, 32)})
    with pytest.raises(ModelError, match=r"blocks\.0\.ffn\.net\.0\.proj\.weight, which is quantised"):
        Adapters(packed, torch.float32).use({path: 1.0})
    assert torch.equal(run_transformer(packed), before)


@pytest.mark.parametrize("kind", ["block_level", "leaf_level"])
def test_offloaded_by_groups(kind: str, lora: tuple[Path, Change]) -> None:
    path, change = lora
    transformer = make_transformer()
    twin, plain = deepcopy(transformer), run_transformer(transformer)
    transformer.enable_group_offload(torch.device("cpu"), offload_type=kind, num_blocks_per_group=1)
    adapters = Adapters(transformer, torch.float32)
    for weight in (1.0, 0.25):
        adapters.use({path: weight})
        expected = run_transformer(changed_by_hand(twin, change, weight))
        assert torch.allclose(run_transformer(transformer), expected, rtol=1e-4, atol=1e-5)
    adapters.remove()
    assert torch.equal(run_transformer(transformer), plain)


def test_after_one_that_fails_the_others_go_on(tmp_path: Path, lora: tuple[Path, Change]) -> None:
    path, change = lora
    transformer = make_transformer()
    plain, expected = run_transformer(transformer), run_transformer(changed_by_hand(transformer, change))
    other = write_lora(tmp_path / "other.safetensors", kohya_keys(make_change(transformer, BLOCKS, seed=9), str))
    adapters = Adapters(transformer, torch.float32)
    adapters.use({path: 1.0})
    with pytest.raises(ModelError, match="cannot be read"):
        adapters.use({path: 0.5, other: 1.0, tmp_path / "gone.safetensors": 1.0})
    adapters.use({path: 1.0})
    assert torch.allclose(run_transformer(transformer), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ModelError, match="cannot be read"):
        adapters.use({tmp_path / "gone.safetensors": 1.0})
    adapters.use({})
    assert torch.equal(run_transformer(transformer), plain)


def test_a_transformer_without_loras_is_not_touched(lora: tuple[Path, Change]) -> None:
    path, _ = lora
    transformer = make_transformer()
    use_loras(transformer, {}, torch.float32, "it")
    assert not hasattr(transformer, "_wan_loras")
    plain = run_transformer(transformer)
    use_loras(transformer, {path: 1.0}, torch.float32, "it")
    changed = run_transformer(transformer)
    assert not torch.equal(changed, plain)
    use_loras(transformer, {}, torch.float32, "it")
    assert torch.equal(run_transformer(transformer), plain)
    use_loras(transformer, {path: 1.0}, torch.float32, "it")
    assert torch.equal(run_transformer(transformer), changed)


def test_what_is_loaded_is_said(lora: tuple[Path, Change], caplog: pytest.LogCaptureFixture) -> None:
    path, _ = lora
    with caplog.at_level("INFO", logger="wan_engine"):
        use_loras(make_transformer(), {path: 1.0}, torch.float32, "Wan-Tiny")
    assert "LoRA it.safetensors: 39 modules of Wan-Tiny" in caplog.text
