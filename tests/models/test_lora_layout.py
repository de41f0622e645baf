"""What a LoRA file is told to be from its header, what of it fits a model, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from loras import (
    BLOCKS,
    IMAGE,
    IMAGES,
    VACE,
    kohya_keys,
    make_change,
    make_transformer,
    our_names,
    peft_keys,
    write_lora,
)
from wan_engine.errors import ModelError
from wan_engine.models.lora.adapters import Adapters
from wan_engine.models.lora.fit import Fit, fit
from wan_engine.models.lora.layout import open_lora
from wan_engine.models.lora.names import diffusers_name, modulation_name
from wan_engine.models.lora.shapes import transformer_shapes

MODELS: dict[str, dict[str, Any]] = {
    "t2v": {},
    "i2v": IMAGE,
    "flf2v": {**IMAGE, "pos_embed_seq_len": 6},
    "vace": VACE,
    "vace with images": {**VACE, **IMAGE, "in_channels": 16},
}
MATRIX = torch.ones(2, 24)
GOOD = {"blocks.0.self_attn.q.lora_A.weight": MATRIX, "blocks.0.self_attn.q.lora_B.weight": MATRIX.T}


@pytest.mark.parametrize("name", MODELS)
def test_the_table_of_shapes_is_that_of_the_classes(name: str) -> None:
    transformer = make_transformer(**MODELS[name])
    real = {key: tuple(tensor.shape) for key, tensor in transformer.named_parameters()}
    assert transformer_shapes(transformer.config) == real


@pytest.mark.parametrize("change", [{"num_layers": None}, {"ffn_dim": "wide"}, {"num_attention_heads": None}])
def test_a_damaged_config_is_said(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"config.json is damaged"):
        transformer_shapes({**dict(make_transformer().config), **change}, "config.json")


@pytest.mark.parametrize("name", ["t2v", "i2v", "vace"])
def test_every_name_of_a_checkpoint_is_known_in_all_vocabularies(name: str) -> None:
    for official, ours in our_names(make_transformer(**MODELS[name])).items():
        for prefix in ("", "diffusion_model.", "transformer.", "base_model.model.", "pipe.dit."):
            assert diffusers_name(prefix + official) == diffusers_name(prefix + ours) == ours
        for prefix in ("lora_unet_", "lora_unet__", "lycoris_"):
            assert diffusers_name(prefix + official.replace(".", "_")) == ours


def test_names_that_no_wan_model_has() -> None:
    for name in (
        "diffusion_model.transformer_blocks.0.attn1.to_q",
        "lora_unet_transformer_blocks_0_attn1_to_q",
        "lora_unet_down_blocks_0_attentions_0",
        "blocks.0",
        "blocks.x.ffn.0",
    ):
        assert diffusers_name(name) == ""
    assert modulation_name("diffusion_model.head") == "scale_shift_table"
    assert modulation_name("diffusion_model.blocks.7") == "blocks.7.scale_shift_table"
    assert modulation_name("diffusion_model.blocks.7.ffn.0") == ""


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_none(text: str) -> None:
    assert isinstance(diffusers_name(text), str)
    assert isinstance(modulation_name(text), str)


def fitted(tensors: dict[str, torch.Tensor], folder: Path, **model: Any) -> Fit:
    lora = open_lora(write_lora(folder / "it.safetensors", tensors))
    return fit(lora, transformer_shapes(make_transformer(**model).config), "the model")


def test_an_i2v_lora_on_t2v_says_what_is_left_out(tmp_path: Path) -> None:
    tensors = kohya_keys(make_change(make_transformer(**IMAGE), [*BLOCKS, *IMAGES, "patch_embedding"]), str)
    found = fitted(tensors, tmp_path)
    assert found.modules == len(BLOCKS)
    assert set(found.left_out) == {*IMAGES, "patch_embedding"}
    assert found.words() == (
        "30 modules; left out: 9 that this model has not "
        "(blocks.0.cross_attn.k_img, blocks.0.cross_attn.v_img, blocks.1.cross_attn.k_img, ...)"
    )
    assert fitted(tensors, tmp_path, **IMAGE).words() == "39 modules"


def test_text_encoders_are_left_out(tmp_path: Path) -> None:
    both = {**GOOD, "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": MATRIX}
    assert fitted(both, tmp_path).left_out == ("lora_te_text_model_encoder_layers_0_mlp_fc1",)


REFUSED = {
    "LoKr": ({"blocks.0.ffn.0.lokr_w1": MATRIX}, "not a plain LoRA but LoKr"),
    "LoHa": ({"lora_unet_blocks_0_ffn_0.hada_w1_a": MATRIX}, "not a plain LoRA but LoHa"),
    "OFT": ({"blocks.0.ffn.0.oft_blocks": MATRIX}, "not a plain LoRA but OFT"),
    "BOFT": ({"blocks.0.ffn.0.boft_R.weight": MATRIX}, "not a plain LoRA but OFT"),
    "DoRA": ({**GOOD, "blocks.0.self_attn.q.dora_scale": MATRIX}, "but DoRA"),
    "DoRA of PEFT": ({**GOOD, "blocks.0.self_attn.q.lora_magnitude_vector.default.weight": MATRIX}, "but DoRA"),
    "tucker": ({**GOOD, "blocks.0.self_attn.q.lora_mid.weight": MATRIX}, "middle matrix"),
    "a checkpoint": ({"blocks.0.self_attn.q.weight": MATRIX}, r"is no LoRA: it holds blocks\.0"),
    "unknown parts": ({**GOOD, "blocks.0.self_attn.q.set_weight": MATRIX}, "a layout that is not known"),
    "another model's": ({"double_blocks.0.x.diff": MATRIX}, "no LoRA for a Wan"),
    "both experts": ({"transformer_2.blocks.0.ffn.0.lora_A.weight": MATRIX}, "LoRAs of both experts"),
    "two in one": ({**GOOD, "blocks.0.self_attn.q.lora_A.b.weight": MATRIX}, "holds two LoRAs"),
    "two names": ({"blocks.0.diff_m": MATRIX, "blocks.0.modulation.diff": MATRIX}, "adds twice to one parameter"),
    "half": ({"blocks.0.self_attn.q.lora_A.weight": MATRIX}, "without its counterpart"),
    "ranks": ({**GOOD, "blocks.0.self_attn.q.lora_B.weight": torch.ones(24, 3)}, "do not fit each other"),
    "vectors": ({"blocks.0.ffn.0.lora_A.weight": MATRIX[0], "blocks.0.ffn.0.lora_B.weight": MATRIX.T}, "do not fit"),
    "nothing": ({}, "changes nothing"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    tensors, words = REFUSED[name]
    with pytest.raises(ModelError, match=words) as caught:
        open_lora(write_lora(tmp_path / "it.safetensors", tensors))
    assert str(tmp_path) in caught.value.message
    assert caught.value.remedy


def test_files_that_are_no_safetensors(tmp_path: Path) -> None:
    pickled = tmp_path / "it.pt"
    pickled.write_bytes(b"")
    with pytest.raises(ModelError, match="safetensors"):
        open_lora(pickled)
    good = write_lora(tmp_path / "good.safetensors", GOOD)
    good.write_bytes(good.read_bytes()[:-4])
    with pytest.raises(ModelError, match="cut off"):
        open_lora(good)
    with pytest.raises(ModelError, match="cannot be read"):
        open_lora(tmp_path / "nowhere.safetensors")
    with pytest.raises(ModelError, match="damaged metadata"):
        open_lora(write_lora(good, GOOD, {"lora_adapter_metadata": "{"}))


def test_a_lora_for_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"another size: blocks\.0\.self_attn\.q is 24x24, in the model it is 48x48"):
        fitted(GOOD, tmp_path, num_attention_heads=4)
    with pytest.raises(ModelError, match=r"blocks\.1\.norm3 is 7, in the model it is 24"):
        fitted({"blocks.1.norm3.diff": torch.ones(7)}, tmp_path)


def test_a_lora_that_hits_nothing_is_an_error(tmp_path: Path) -> None:
    tensors = peft_keys(make_change(make_transformer(**IMAGE), IMAGES), str)
    with pytest.raises(ModelError, match=r"changes nothing in the model, which has none of its 8 modules \(blocks"):
        fitted(tensors, tmp_path)


@pytest.mark.parametrize("key", ["blocks.0.self_attn.q.lora_B.weight", "blocks.0.self_attn.q.alpha"])
def test_values_that_are_no_numbers(tmp_path: Path, key: str) -> None:
    tensors = {**GOOD, "blocks.0.self_attn.q.alpha": torch.tensor(1.0)}
    tensors[key] = torch.full(tensors[key].shape, float("nan"))
    transformer = make_transformer()
    adapters = Adapters(transformer, torch.float32)
    with pytest.raises(ModelError, match="not numbers"):
        adapters.use({write_lora(tmp_path / "it.safetensors", tensors): 1.0})
    assert not any("lora" in name for name, _ in transformer.named_modules())
