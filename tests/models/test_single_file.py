"""Transformers of single files compute what the same weights compute in diffusers' own layout, number for number."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanTransformer3DModel, WanVACETransformer3DModel
from diffusers.quantizers.gguf.utils import GGUFLinear, dequantize_gguf_tensor
from gguf import GGMLQuantizationType
from gguf.quants import dequantize

from checkpoints import (
    FACTORS,
    State,
    official_transformer,
    random_blocks,
    scaled_fp8,
    write_gguf,
    write_safetensors,
    write_torch,
)
from wan_engine.errors import ModelError
from wan_engine.models.detect import Part, detect_file
from wan_engine.models.single_file import check_part, load_part

TEXT, IMAGE = 256, 24
BASE = {"num_attention_heads": 2, "attention_head_dim": 128, "num_layers": 2, "ffn_dim": 256, "text_dim": TEXT}
CLIP = {"image_dim": IMAGE, "added_kv_proj_dim": 256}
KINDS: dict[str, dict[str, Any]] = {
    "t2v": {},
    "i2v": {**CLIP, "in_channels": 36},
    "flf2v": {**CLIP, "in_channels": 36, "pos_embed_seq_len": 10},
    "i2v-2.2": {"in_channels": 36},
    "ti2v": {"in_channels": 48, "out_channels": 48},
    "vace": {"vace_layers": [0, 1], "vace_in_channels": 96},
}


@functools.cache
def network(kind: str) -> torch.nn.Module:
    """A small network with random weights everywhere, also where a new one has ones and zeros."""
    figures = {**BASE, "freq_dim": 256, "rope_max_seq_len": 1024, **KINDS[kind]}
    torch.manual_seed(1)
    module = (WanVACETransformer3DModel if kind == "vace" else WanTransformer3DModel)(**figures)
    for tensor in module.parameters():
        tensor.data = torch.randn(tensor.shape) * 0.06
    return module.eval().requires_grad_(False)


def official(kind: str) -> State:
    return official_transformer(network(kind).state_dict())


@torch.no_grad()
def answer(module: torch.nn.Module, kind: str, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    config = {**BASE, "in_channels": 16, **KINDS[kind]}
    generator = torch.Generator().manual_seed(2)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(dtype)

    inputs: dict[str, Any] = {
        "hidden_states": noise(1, config["in_channels"], 2, 4, 4),
        # diffusers takes the last 512 tokens for the text's and those before for the picture's.
        "encoder_hidden_states": noise(1, 512, TEXT),
        "timestep": torch.full((1, 8), 500.0) if kind == "ti2v" else torch.tensor([500.0]),
    }
    if "image_dim" in config:
        inputs["encoder_hidden_states_image"] = noise(2 if kind == "flf2v" else 1, 5, IMAGE)
    if kind == "vace":
        inputs |= {
            "control_hidden_states": noise(1, 96, 2, 4, 4),
            "control_hidden_states_scale": torch.ones(2).to(dtype),
        }
    for tensor in module.parameters():
        # Sums are made in another order where a mapped file is not aligned as fresh memory is.
        tensor.data = tensor.data.clone()
    result: torch.Tensor = module(**inputs, return_dict=False)[0]
    assert result.isfinite().all()
    return result


def error(got: torch.Tensor, expected: torch.Tensor) -> float:
    return float((got.float() - expected.float()).norm() / expected.float().norm())


def same(part: Part, kind: str) -> bool:
    return torch.equal(answer(load_part(part), kind), answer(network(kind), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_official_names(kind: str, tmp_path: Path) -> None:
    part = detect_file(write_safetensors(tmp_path / "m.safetensors", official(kind)))
    assert same(part, kind)
    check_part(part)


@pytest.mark.parametrize(
    ("prefix", "kind"), [("model.diffusion_model.", "t2v"), ("diffusion_model.", "flf2v"), ("model.", "vace")]
)
def test_prefixes(prefix: str, kind: str, tmp_path: Path) -> None:
    state = {prefix + name: tensor for name, tensor in official(kind).items()}
    state["vae.something"] = torch.ones(2)
    part = detect_file(write_safetensors(tmp_path / "m.safetensors", state))
    assert part.prefix == prefix
    assert same(part, kind)


@pytest.mark.parametrize("kind", ["flf2v", "vace"])
def test_diffusers_names_and_torch_files(kind: str, tmp_path: Path) -> None:
    assert same(detect_file(write_safetensors(tmp_path / "m.safetensors", network(kind).state_dict())), kind)
    assert same(detect_file(write_torch(tmp_path / "m.pth", official(kind))), kind)


def test_shards(tmp_path: Path) -> None:
    import json

    names = sorted(official("t2v"))
    halves = {f"model-{number}.safetensors": names[number::2] for number in (0, 1)}
    for file, some in halves.items():
        write_safetensors(tmp_path / file, {name: official("t2v")[name] for name in some})
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: file for file, some in halves.items() for name in some}}))
    assert same(detect_file(index), "t2v")


@pytest.mark.parametrize(("kind", "dtype"), [("t2v", "float16"), ("flf2v", "bfloat16"), ("vace", "bfloat16")])
def test_half_precision_keeps_what_diffusers_keeps(kind: str, dtype: str, tmp_path: Path) -> None:
    """Weights and answers are those of from_pretrained, bit for bit, in a file of another number format too."""
    wanted = getattr(torch, dtype)
    network(kind).save_pretrained(tmp_path / "own")
    theirs = type(network(kind)).from_pretrained(tmp_path / "own", torch_dtype=wanted)
    ours = load_part(detect_file(write_safetensors(tmp_path / "m.safetensors", official(kind))), dtype)
    expected = theirs.state_dict()
    for name, tensor in ours.state_dict().items():
        assert tensor.dtype == expected[name].dtype, name
        assert torch.equal(tensor, expected[name]), name
    assert expected["condition_embedder.time_embedder.linear_1.weight"].dtype == torch.float32
    assert torch.equal(answer(ours, kind, wanted), answer(theirs, kind, wanted))


def test_plain_fp8(tmp_path: Path) -> None:
    """The weights are those of the file; to the full ones they are as near as fp8 is."""
    state = official("t2v")
    small = {name: tensor.to(torch.float8_e4m3fn) if tensor.dim() == 2 else tensor for name, tensor in state.items()}
    part = detect_file(write_safetensors(tmp_path / "m.safetensors", small))
    assert part.precision == "fp8_e4m3fn"
    module = load_part(part)
    for name, tensor in official_transformer(module.state_dict()).items():
        assert torch.equal(tensor, small[name].float()), name
    assert error(answer(module, "t2v"), answer(network("t2v"), "t2v")) < 0.08


@pytest.mark.parametrize(("kind", "newer"), [("t2v", False), ("t2v", True), ("vace", True)])
def test_scaled_fp8(newer: bool, kind: str, tmp_path: Path) -> None:
    state = scaled_fp8({f"model.diffusion_model.{name}": tensor for name, tensor in official(kind).items()}, newer)
    part = detect_file(write_safetensors(tmp_path / "m.safetensors", state))
    assert (part.precision, part.problem) == ("fp8_e4m3fn scaled", "")
    module = load_part(part)
    worst = max(error(tensor, network(kind).get_parameter(name)) for name, tensor in module.named_parameters())
    # A number of fp8 e4m3 is at most 1/16 off, on average about 1/38.
    assert 0.01 < worst < 0.03
    assert error(answer(module, kind), answer(network(kind), kind)) < 0.06


def test_scaled_fp8_by_rows_and_by_metadata(tmp_path: Path) -> None:
    state = official("t2v")
    name = "blocks.0.self_attn.q.weight"
    factors = state[name].abs().amax(1, keepdim=True) / 448
    state[name] = (state[name] / factors).to(torch.float8_e4m3fn)
    state["blocks.0.self_attn.q.weight_scale"] = factors
    said = '{"format_version": "1.0", "layers": {"blocks.0.self_attn.q": {"format": "%s"}}}'
    path = tmp_path / "m.safetensors"
    module = load_part(detect_file(write_safetensors(path, state, _quantization_metadata=said % "float8_e4m3fn")))
    assert (
        error(
            module.get_parameter("blocks.0.attn1.to_q.weight"),
            network("t2v").get_parameter("blocks.0.attn1.to_q.weight"),
        )
        < 0.03
    )
    part = detect_file(write_safetensors(path, state, _quantization_metadata=said % "nvfp4"))
    assert part.problem == "its layers are quantised as nvfp4, which is not supported"


def test_another_quantisation_in_the_json_is_refused(tmp_path: Path) -> None:
    state = scaled_fp8(official("t2v"), newer=True)
    name = "blocks.0.self_attn.q.comfy_quant"
    for text, message in ((b'{"format": "int8_tensorwise"}', "quantised as int8_tensorwise"), (b"{", "is damaged")):
        state[name] = torch.tensor(list(text), dtype=torch.uint8)
        with pytest.raises(ModelError, match=message):
            load_part(detect_file(write_safetensors(tmp_path / "m.safetensors", state)))


@pytest.mark.parametrize("base", ["safetensors", "gguf"])
def test_a_vace_module_on_a_t2v_file(base: str, tmp_path: Path) -> None:
    whole = official("vace")
    module = {f"diffusion_model.{name}": tensor for name, tensor in whole.items() if name.startswith("vace_")}
    t2v = {name: tensor for name, tensor in whole.items() if not name.startswith("vace_")}
    vace = detect_file(write_safetensors(tmp_path / "vace.safetensors", module))
    path = tmp_path / f"m.{base}"
    part = detect_file(write_safetensors(path, t2v) if base == "safetensors" else write_gguf(path, t2v, {}))
    assert torch.equal(answer(load_part(part, vace=vace), "vace"), answer(network("vace"), "vace"))
    with pytest.raises(ModelError, match=r"vace\.safetensors .* does not fit"):
        load_part(detect_file(write_safetensors(tmp_path / "i2v.safetensors", official("i2v"))), vace=vace)
    with pytest.raises(ModelError, match="is no whole network"):
        load_part(vace)


def test_a_quantised_vace_module(tmp_path: Path) -> None:
    whole = official("vace")
    name = "vace_blocks.1.ffn.0.weight"
    module = {each: tensor for each, tensor in whole.items() if each.startswith("vace_")}
    module[name] = random_blocks(tuple(module[name].shape), "Q4_0", 3)
    vace = detect_file(write_gguf(tmp_path / "vace.gguf", module, {name: "Q4_0"}))
    t2v = {each: tensor for each, tensor in whole.items() if not each.startswith("vace_")}
    loaded = load_part(detect_file(write_safetensors(tmp_path / "m.safetensors", t2v)), vace=vace)
    kept = [each for each, layer in loaded.named_modules() if isinstance(layer, GGUFLinear)]
    assert kept == ["vace_blocks.1.ffn.net.0.proj"]
    whole[name] = torch.from_numpy(dequantize(module[name].numpy(), GGMLQuantizationType.Q4_0))
    reference = load_part(detect_file(write_safetensors(tmp_path / "plain.safetensors", whole)))
    assert error(answer(loaded, "vace"), answer(reference, "vace")) < 2e-3


QUANTISED = (*(f".{each}.weight" for each in "qkvo"), ".0.weight", "ffn.2.weight")


@pytest.mark.parametrize("type_name", FACTORS)
def test_quantised_gguf(type_name: str, tmp_path: Path) -> None:
    """Random blocks of every type, against gguf's own numbers.

    diffusers multiplies with them in float16, so its weights differ from gguf's by that rounding; where a weight is
    made plain (the time embedding) it is gguf's exactly.
    """
    state, kind = official("t2v"), GGMLQuantizationType[type_name]
    names = [name for name in state if name.endswith(QUANTISED)]
    written = {
        **state,
        **{name: random_blocks(tuple(state[name].shape), type_name, 7 + at) for at, name in enumerate(names)},
    }
    part = detect_file(write_gguf(tmp_path / "m.gguf", written, dict.fromkeys(names, type_name)))
    assert (part.precision, part.problem) == (type_name, "")
    module = load_part(part)
    plain = {**state, **{name: torch.from_numpy(dequantize(written[name].numpy(), kind)) for name in names}}
    reference = load_part(detect_file(write_safetensors(tmp_path / "plain.safetensors", plain)))
    assert isinstance(module.get_submodule("blocks.0.attn1.to_q"), GGUFLinear)
    count = 0
    for name, tensor in reference.named_parameters():
        got = module.get_parameter(name)
        if hasattr(got, "quant_type"):
            count += 1
            assert (dequantize_gguf_tensor(got) - tensor).abs().max() <= 2e-3 * tensor.abs().max()
        else:
            assert torch.equal(got, tensor), name
    assert count == len(names) - 1
    assert error(answer(module, "t2v"), answer(reference, "t2v")) < 2e-3


@pytest.mark.parametrize(
    ("kind", "type_name"), [("t2v", "F32"), ("i2v", "F16"), ("t2v", "BF16"), ("flf2v", "BF16"), ("vace", "BF16")]
)
def test_plain_gguf(kind: str, type_name: str, tmp_path: Path) -> None:
    """Also convolutions, biases and vectors in BF16, with which stock code cannot compute."""
    state = official(kind)
    part = detect_file(write_gguf(tmp_path / "m.gguf", state, dict.fromkeys(state, type_name)))
    rounded = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[type_name]
    small = {name: tensor.to(rounded) for name, tensor in state.items()}
    reference = load_part(detect_file(write_safetensors(tmp_path / "m.safetensors", small)))
    assert torch.equal(answer(load_part(part), kind), answer(reference, kind))
    assert type_name != "F32" or same(part, kind)


def test_gguf_in_bfloat16_keeps_float32(tmp_path: Path) -> None:
    state = official("t2v")
    names = [name for name in state if name.endswith(QUANTISED)]
    written = {**state, **{name: random_blocks(tuple(state[name].shape), "Q4_K", 3) for name in names}}
    module = load_part(detect_file(write_gguf(tmp_path / "m.gguf", written, dict.fromkeys(names, "Q4_K"))), "bfloat16")
    kinds = {name: tensor.dtype for name, tensor in module.named_parameters()}
    assert kinds["condition_embedder.time_embedder.linear_1.weight"] == torch.float32
    assert kinds["blocks.0.scale_shift_table"] == torch.float32
    assert kinds["blocks.0.attn1.to_q.weight"] == torch.uint8
    assert kinds["blocks.0.attn1.to_q.bias"] == torch.bfloat16
    assert module.get_submodule("blocks.0.attn1.to_q").compute_dtype == torch.bfloat16
    assert answer(module, "t2v", torch.bfloat16).dtype == torch.bfloat16


def test_a_type_that_is_not_supported_is_named(tmp_path: Path) -> None:
    state = official("t2v")
    name = "blocks.1.ffn.0.weight"
    written = {**state, name: torch.zeros(state[name].shape[0], 66, dtype=torch.uint8)}
    part = detect_file(write_gguf(tmp_path / "m.gguf", written, {name: "IQ2_XXS"}))
    assert part.problem == f"{name} is in the number format IQ2_XXS, which is not supported"
    with pytest.raises(ModelError, match="IQ2_XXS"):
        load_part(part)


def test_a_gguf_file_without_its_convolution(tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in official("t2v").items() if not name.startswith("patch_embedding")}
    part = detect_file(write_gguf(tmp_path / "m.gguf", state, {}))
    assert part.problem == "the tensor patch_embedding.weight is missing"
    assert "5-dimensional" in part.remedy
