"""VAEs and encoders of single files compute what the same weights compute in their libraries; bad files are refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan
from gguf import GGMLQuantizationType
from gguf.quants import dequantize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import CLIPVisionConfig, CLIPVisionModel, UMT5Config, UMT5EncoderModel

from checkpoints import (
    FACTORS,
    State,
    official_clip,
    official_vae21,
    official_vae22,
    random_blocks,
    scaled_fp8,
    umt5,
    write_gguf,
    write_safetensors,
    write_torch,
)
from wan_engine.errors import ModelError
from wan_engine.models.convert.layouts import LAYOUTS
from wan_engine.models.detect import detect_file
from wan_engine.models.single_file import check_part, load_part

Write = Callable[[Path, State], Path]


def randomised(module: torch.nn.Module) -> Any:
    torch.manual_seed(3)
    for tensor in module.parameters():
        tensor.data = torch.randn(tensor.shape) * 0.1
    return module.eval().requires_grad_(False)


@functools.cache
def vae(residual: bool) -> Any:
    sizes: dict[str, Any] = {"base_dim": 8}
    if residual:
        sizes |= {"decoder_base_dim": 8, "z_dim": 48, "is_residual": True, "in_channels": 12, "out_channels": 12}
        sizes |= {"patch_size": 2, "scale_factor_spatial": 16}
    return randomised(AutoencoderKLWan(**sizes))


@functools.cache
def text_encoder() -> Any:
    config = UMT5Config(vocab_size=300, d_model=256, d_kv=64, d_ff=256, num_layers=2, num_heads=4, dropout_rate=0.0)
    return randomised(UMT5EncoderModel(config))


@functools.cache
def clip() -> Any:
    return randomised(
        CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=160, intermediate_size=192, num_hidden_layers=2, num_attention_heads=2,
                image_size=28, patch_size=14, hidden_act="gelu",
            )
        )
    )  # fmt: skip


@torch.no_grad()
def seen(module: Any) -> torch.Tensor:
    """What a network of any kind makes of some input."""
    for tensor in module.parameters():
        tensor.data = tensor.data.clone()
    torch.manual_seed(4)
    if isinstance(module, AutoencoderKLWan):
        latent = module.encode(torch.randn(1, 3, 5, 32, 32)).latent_dist.mode()
        return torch.cat([latent.flatten(), module.decode(latent).sample.flatten()])
    if isinstance(module, CLIPVisionModel):
        states: torch.Tensor = module(torch.randn(1, 3, 28, 28), output_hidden_states=True).hidden_states[-2]
        return states
    words: torch.Tensor = module(torch.tensor([[5, 260, 7, 1]])).last_hidden_state
    return words


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize(
    ("prefix", "write"), [("", write_safetensors), ("", write_torch), ("model.", write_safetensors)]
)
def test_vaes(residual: bool, prefix: str, write: Write, tmp_path: Path) -> None:
    names = official_vae22 if residual else official_vae21
    state = {prefix + name: tensor for name, tensor in names(vae(residual).state_dict()).items()}
    part = detect_file(write(tmp_path / "file", state))
    check_part(part)
    module: Any = load_part(part)
    assert torch.equal(seen(module), seen(vae(residual)))
    assert module.config.z_dim == (48 if residual else 16)


def test_a_vae_in_half_precision_is_loaded_in_float32(tmp_path: Path) -> None:
    state = {name: tensor.bfloat16() for name, tensor in official_vae21(vae(False).state_dict()).items()}
    part = detect_file(write_safetensors(tmp_path / "file", state))
    assert part.precision == "bf16"
    module = load_part(part)
    assert {tensor.dtype for tensor in module.parameters()} == {torch.float32}
    expected = AutoencoderKLWan.from_config(vae(False).config).eval()
    expected.load_state_dict({name: tensor.bfloat16().float() for name, tensor in vae(False).state_dict().items()})
    assert torch.equal(seen(module), seen(expected))


@pytest.mark.parametrize(
    ("layout", "write"),
    [("official", write_torch), ("official", write_safetensors), ("transformers", write_safetensors)],
)
def test_umt5(layout: str, write: Write, tmp_path: Path) -> None:
    state = umt5(text_encoder().state_dict(), layout)
    if layout == "transformers":
        state |= {"spiece_model": torch.ones(20, dtype=torch.uint8), "decoder.final_layer_norm.weight": torch.ones(2)}
        state["encoder.embed_tokens.weight"] = state["shared.weight"].clone()
    module: Any = load_part(detect_file(write(tmp_path / "file", state)))
    assert torch.equal(seen(module), seen(text_encoder()))
    assert module.encoder.embed_tokens.weight is module.shared.weight
    assert module.shared.weight.any()


@pytest.mark.parametrize("newer", [False, True])
def test_umt5_in_scaled_fp8(newer: bool, tmp_path: Path) -> None:
    state = umt5(text_encoder().state_dict(), "transformers")
    module = load_part(detect_file(write_safetensors(tmp_path / "file", scaled_fp8(state, newer))), "bfloat16")
    assert {tensor.dtype for tensor in module.parameters()} == {torch.bfloat16}
    expected = seen(text_encoder())
    assert (seen(module).float() - expected).norm() / expected.norm() < 0.06


@pytest.mark.parametrize("type_name", ["Q8_0", "Q5_K", "IQ4_XS", "BF16"])
def test_umt5_of_gguf(type_name: str, tmp_path: Path) -> None:
    """Every tensor is gguf's own, exactly; nothing stays quantised in the text encoder."""
    state = umt5(text_encoder().state_dict(), "llama")
    kind = GGMLQuantizationType[type_name]
    names = [name for name, tensor in state.items() if tensor.dim() == 2 and "rel_b" not in name]
    if type_name == "BF16":
        written, plain = state, {name: state[name].bfloat16().float() for name in names}
    else:
        written = {**state, **{name: random_blocks(tuple(state[name].shape), type_name, 5) for name in names}}
        plain = {name: torch.from_numpy(dequantize(written[name].numpy(), kind)) for name in names}
    path = write_gguf(tmp_path / "file", written, dict.fromkeys(names, type_name), "t5encoder")
    module: Any = load_part(detect_file(path))
    for name, tensor in umt5(module.state_dict(), "llama").items():
        assert torch.equal(tensor, plain.get(name, state[name])), name
    assert seen(module).isfinite().all()


def test_clip(tmp_path: Path) -> None:
    for file, state in (
        ("official.pth", official_clip(clip().state_dict())),
        ("comfy.pth", {f"vision_model.{name}": tensor for name, tensor in clip().state_dict().items()}),
    ):
        state["visual_projection.weight"] = torch.ones(2, 2)
        part = detect_file(write_torch(tmp_path / file, state))
        assert part.notes
        assert torch.equal(seen(load_part(part)), seen(clip()))


def changed(change: Callable[[State], Any], tmp_path: Path) -> Path:
    state = official_vae21(vae(False).state_dict())
    change(state)
    return write_safetensors(tmp_path / "file", state)


NAME = "decoder.head.0.gamma"
REFUSED: list[tuple[str, Callable[[State], Any]]] = [
    ("1 missing tensor, such as decoder.norm_out.gamma", lambda state: state.pop(NAME)),
    ("1 unknown tensor, such as another", lambda state: state.update(another=torch.ones(1))),
    (
        r"gamma has the shape \(3,\), but the model needs",
        lambda state: state.update({NAME: torch.ones(3)}),
    ),
]


@pytest.mark.parametrize(("message", "change"), REFUSED, ids=["missing", "unexpected", "mismatched"])
def test_files_that_do_not_fit_are_refused_before_reading(message: str, change: Any, tmp_path: Path) -> None:
    part = detect_file(changed(change, tmp_path))
    for look in (check_part, load_part):
        with pytest.raises(ModelError, match=message) as caught:
            look(part)
        assert str(part.path) in caught.value.message
        assert caught.value.remedy


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_number_is_refused_by_name(value: float, tmp_path: Path) -> None:
    def spoil(state: State) -> None:
        state[NAME] = torch.full_like(state[NAME], 1e38)
        state["conv2.weight"] = state["conv2.weight"].clone()
        state["conv2.weight"].flatten()[7] = value

    part = detect_file(changed(spoil, tmp_path))
    check_part(part)
    with pytest.raises(ModelError, match=r"'conv2.weight' holds values that are not numbers"):
        load_part(part)


def test_a_large_sum_is_no_error(tmp_path: Path) -> None:
    def grow(state: State) -> None:
        state["conv1.weight"] = torch.full_like(state["conv1.weight"], 3e38)

    load_part(detect_file(changed(grow, tmp_path)))


def test_a_factor_of_gguf_that_is_no_number(tmp_path: Path) -> None:
    """In every place where a type has one: the place is right, for then gguf's own numbers are none either."""
    state = umt5(text_encoder().state_dict(), "llama")
    for type_name, places in FACTORS.items():
        for place in places:
            name = "enc.blk.1.ffn_up.weight"
            blocks = random_blocks((256, 256), type_name, 9)
            blocks[3, place : place + 2] = torch.tensor([0, 0x7E], dtype=torch.uint8)
            assert not numpy_finite(dequantize(blocks.numpy(), GGMLQuantizationType[type_name]))
            path = write_gguf(tmp_path / "file", {**state, name: blocks}, {name: type_name}, "t5encoder")
            with pytest.raises(ModelError, match=f"'{name}' holds values"):
                load_part(detect_file(path))


def numpy_finite(values: Any) -> bool:
    return bool(torch.from_numpy(values).isfinite().all())


def test_a_tensor_under_two_names(tmp_path: Path) -> None:
    path = changed(lambda state: state.update({"quant_conv.bias": torch.ones(32)}), tmp_path)
    with pytest.raises(ModelError, match="has a tensor twice"):
        check_part(detect_file(path))


def test_names_that_the_library_stumbles_over(tmp_path: Path) -> None:
    path = changed(lambda state: state.update({"decoder.upsamples.x.residual.0.gamma": torch.ones(1)}), tmp_path)
    with pytest.raises(ModelError, match="is damaged or of an unknown kind: ValueError"):
        check_part(detect_file(path))


MARKS = {
    layout.name: sorted({*layout.signs, *layout.landmarks.values()})
    for layout in LAYOUTS.values()
    if layout.kind != "vace_module"
}


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")  # torch's word on such a network
@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_figures_are_a_model_error(tmp_path: Path, data: st.DataObject) -> None:
    """Files with the right names and any shapes are refused in one sentence, whatever network they would make."""
    names = MARKS[data.draw(st.sampled_from(sorted(MARKS)))]
    sizes = st.sampled_from([0, 1, 2, 4, 16, 48, 80, 128])
    shapes = {name: data.draw(st.lists(sizes, min_size=1, max_size=3)) for name in names}
    state = {name: torch.zeros(shape, dtype=torch.bfloat16) for name, shape in shapes.items()}
    part = detect_file(write_safetensors(tmp_path / "file", state))
    with pytest.raises(ModelError):
        check_part(part)


def test_an_empty_word_table_is_refused(tmp_path: Path) -> None:
    state = umt5(text_encoder().state_dict(), "official")
    state["token_embedding.weight"] = torch.zeros_like(state["token_embedding.weight"])
    with pytest.raises(ModelError, match="word table"):
        load_part(detect_file(write_torch(tmp_path / "file", state)))


def test_a_file_that_changed_since_it_was_looked_at(tmp_path: Path) -> None:
    part = detect_file(changed(lambda state: None, tmp_path))
    part.path.write_bytes(part.path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="is cut off"):
        load_part(part)


def test_strangers_are_not_loaded(tmp_path: Path) -> None:
    part = detect_file(write_safetensors(tmp_path / "file", {"double_blocks.0.img_attn.qkv.weight": torch.ones(2)}))
    with pytest.raises(ModelError, match="cannot be used: it is Flux"):
        load_part(part)
