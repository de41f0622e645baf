"""Which part a file is: told from names and shapes of the real sizes, of small ones, and of other models' files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPVisionConfig, CLIPVisionModel, UMT5Config, UMT5EncoderModel

from checkpoints import official_clip, official_transformer, official_vae21, official_vae22, umt5
from model_files import write_sparse
from wan_engine.errors import ModelError
from wan_engine.models import detect as detecting
from wan_engine.models.convert.layouts import LAYOUTS
from wan_engine.models.detect import Part, detect, detect_file
from wan_engine.models.headers.header import Header, TensorInfo
from wan_engine.models.headers.read import read_header

Shapes = dict[str, Iterable[int]]


def header_of(
    shapes: dict[str, Iterable[int]], name: str = "model.safetensors", dtype: str = "BF16", **also: str
) -> Header:
    tensors = {each: TensorInfo(also.get(each, dtype), tuple(shape), 2) for each, shape in shapes.items()}
    return Header(Path("folder") / name, "safetensors", tensors, {}, 1000, (Path(name),))


def shapes_of(state: dict[str, torch.Tensor], prefix: str = "") -> Shapes:
    return {prefix + name: tensor.shape for name, tensor in state.items()}


def made(kind: type, **config: Any) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        state: dict[str, torch.Tensor] = kind(**config).state_dict()
    return state


LARGE = {"num_attention_heads": 40, "num_layers": 40, "ffn_dim": 13824, "text_dim": 4096}
SMALL = {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8960, "text_dim": 4096}
MIDDLE = {"num_attention_heads": 24, "num_layers": 30, "ffn_dim": 14336, "text_dim": 4096}
CLIP = {"image_dim": 1280}
EVEN = {"vace_layers": list(range(0, 30, 2))}
PUBLISHED = {
    "wan2.1-t2v-1.3b": SMALL,
    "wan2.1-t2v-14b wan2.2-t2v-a14b": LARGE,
    "wan2.1-i2v-14b wan2.1-fun-inp-14b": {**LARGE, **CLIP, "in_channels": 36, "added_kv_proj_dim": 5120},
    "wan2.1-flf2v-14b": {**LARGE, **CLIP, "in_channels": 36, "added_kv_proj_dim": 5120, "pos_embed_seq_len": 514},
    "wan2.2-i2v-a14b wan2.2-fun-inp-a14b": {**LARGE, "in_channels": 36},
    "wan2.1-fun-inp-1.3b": {**SMALL, **CLIP, "in_channels": 36, "added_kv_proj_dim": 1536},
    "wan2.1-vace-1.3b": {**SMALL, **EVEN, "vace_in_channels": 96},
    "wan2.1-vace-14b wan2.2-vace-fun-a14b": {**LARGE, "vace_layers": list(range(0, 40, 5)), "vace_in_channels": 96},
    "wan2.2-ti2v-5b": {**MIDDLE, "in_channels": 48, "out_channels": 48},
}


@pytest.mark.parametrize("families", PUBLISHED)
def test_published_transformers(families: str) -> None:
    """The config found is the one the network was made with, from official and from diffusers' names."""
    figures = PUBLISHED[families]
    kind = WanVACETransformer3DModel if "vace" in families else WanTransformer3DModel
    state = made(kind, **figures)
    written = {"official": official_transformer(state, 40), "diffusers": state}
    for layout, prefix in (("official", ""), ("official", "model.diffusion_model."), ("diffusers", "")):
        part = detect(header_of(shapes_of(written[layout], prefix), "a-Wan2.2-TI2V-5B-fp8.safetensors"))
        assert (part.kind, part.layout, part.prefix, part.problem) == ("transformer", layout, prefix, "")
        assert part.families == tuple(families.split())
        assert part.precision == "bf16"
        with torch.device("meta"):
            again = kind(**{key: value for key, value in part.config.items() if key != "_class_name"})
            theirs = dict(kind(**figures).config)
        assert part.config["_class_name"] == kind.__name__
        assert {name: tensor.shape for name, tensor in again.state_dict().items()} == {
            name: tensor.shape for name, tensor in state.items()
        }
        ours = dict(again.config)
        for config in (ours, theirs):
            config["patch_size"] = list(config["patch_size"])
            config.pop("_use_default_values", None)
        assert ours == theirs
    assert ("do not tell" in " ".join(part.notes)) == (" " in families)


def test_vaes() -> None:
    state = made(AutoencoderKLWan)
    for layout, names in (("official-vae2.1", official_vae21(state)), ("diffusers-vae", state)):
        part = detect(header_of(shapes_of(names)))
        assert (part.kind, part.layout, part.families, part.problem) == ("vae", layout, ("wan2.1-vae",), "")
        with torch.device("meta"):
            defaults = dict(AutoencoderKLWan().config)
        assert {**defaults, **part.config, "decoder_base_dim": None, "_class_name": ""} == {
            **defaults,
            "_class_name": "",
        }
    large = {"base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "patch_size": 2}
    state = made(AutoencoderKLWan, **large, in_channels=12, out_channels=12)
    for layout, names in (("official-vae2.2", official_vae22(state)), ("diffusers-vae", state)):
        part = detect(header_of(shapes_of(names)))
        assert (part.kind, part.layout, part.families, part.problem) == ("vae", layout, ("wan2.2-vae",), "")
        assert large.items() <= part.config.items()
        assert part.config["scale_factor_spatial"] == 16
        assert len(part.config["latents_mean"]) == len(part.config["latents_std"]) == 48


def test_encoders() -> None:
    figures = {"vocab_size": 256384, "d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_heads": 64}
    state = made(UMT5EncoderModel, config=UMT5Config(**figures, num_layers=2))
    for layout, written in (("official", "official"), ("llama", "llama"), ("transformers", "transformers")):
        part = detect(header_of(shapes_of(umt5(state, written))))
        assert (part.kind, part.layout, part.problem) == ("text_encoder", f"{layout}-umt5", "")
        assert {**figures, "num_layers": 2}.items() <= part.config.items()
    config = CLIPVisionConfig(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=2, num_attention_heads=16, patch_size=14
    )
    state = made(CLIPVisionModel, config=config)
    comfy = {f"vision_model.{name}": tensor for name, tensor in state.items()}
    comfy |= {"visual_projection.weight": torch.ones(2, 2), "vision_model.embeddings.position_ids": torch.ones(1, 257)}
    for layout, names in (("official-clip", official_clip(state)), ("transformers-clip", comfy)):
        part = detect(header_of(shapes_of(names)))
        assert (part.kind, part.layout, part.problem) == ("image_encoder", layout, "")
        assert part.config["hidden_size"] == 1280
        assert (part.config["image_size"], part.config["num_attention_heads"], part.config["hidden_act"]) == (
            224,
            16,
            "gelu",
        )
        assert "left out" in part.notes[0]


def test_a_vace_module() -> None:
    state = made(WanVACETransformer3DModel, **LARGE)
    module = {name: tensor for name, tensor in official_transformer(state, 40).items() if name.startswith("vace_")}
    part = detect(header_of(shapes_of(module)))
    assert (part.kind, part.layout, part.problem) == ("vace_module", "official-vace-module", "")
    assert part.families == ("wan2.1-vace-14b", "wan2.2-vace-fun-a14b")
    assert part.config == {"dim": 5120, "ffn_dim": 13824, "vace_in_channels": 96, "vace_blocks": 8}


def tiny(**also: Any) -> dict[str, torch.Tensor]:
    figures = {"num_attention_heads": 2, "num_layers": 2, "ffn_dim": 256, "text_dim": 256, "freq_dim": 32}
    return official_transformer(made(WanTransformer3DModel, **{**figures, **also}))


def test_a_small_transformer() -> None:
    part = detect(header_of(shapes_of(tiny())))
    assert (part.families, part.problem) == (("wan-tiny",), "")
    assert (part.config["num_attention_heads"], part.config["num_layers"], part.config["freq_dim"]) == (2, 2, 32)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("wan2.2_t2v_high_noise_14B_fp16.safetensors", "high"),
        ("Wan2.2-I2V-A14B-LowNoise-Q4_K_M.gguf", "low"),
        ("HighLow.safetensors", ""),
        ("wan-slow-highway.safetensors", ""),
    ],
)
def test_the_expert_is_a_hint_of_names_only(name: str, hint: str) -> None:
    part = detect(header_of(shapes_of(tiny()), name))
    assert part.expert_hint == hint
    assert part.families == ("wan-tiny",)


@pytest.mark.parametrize("comes_first", [True, False])
def test_metadata_may_stand_anywhere_and_hold_half_characters(tmp_path: Path, comes_first: bool) -> None:
    metadata = {"__metadata__": {"modelspec.title": "\ud800 low noise", "_quantization_metadata": "\ud800"}}
    entry = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    header = json.dumps({**metadata, **entry} if comes_first else {**entry, **metadata}).encode()
    (tmp_path / "file.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    if comes_first:
        assert detect_file(tmp_path / "file.safetensors").expert_hint == "low"
        return
    with pytest.raises(ModelError, match="no readable JSON"):
        detect_file(tmp_path / "file.safetensors")


def test_titles_behind_the_tensors_are_read(tmp_path: Path) -> None:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    header = json.dumps({"w": entry, "__metadata__": {"modelspec.title": "Wan low noise"}}).encode()
    (tmp_path / "file.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    assert detect_file(tmp_path / "file.safetensors").expert_hint == "low"


def test_files_made_alike_are_looked_at_once_and_keep_what_is_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = {name: tuple(shape) for name, shape in shapes_of(tiny()).items()}
    layers = json.dumps({"layers": {"head.head": {"format": "nvfp4"}}})
    files = [
        write_sparse(tmp_path / "high_noise.safetensors", shapes),
        write_sparse(tmp_path / "low.safetensors", shapes, **{"modelspec.title": "another"}),
        write_sparse(tmp_path / "strange.safetensors", shapes, _quantization_metadata=layers),
        write_sparse(tmp_path / "fp8.safetensors", shapes, "F8_E4M3"),
    ]
    alone = [detect(read_header(file)) for file in files]
    looked: list[Path] = []
    monkeypatch.setattr(detecting, "detect", lambda header: looked.append(header.path) or detect(header))
    parts = [detect_file(file) for file in files]
    assert parts == alone
    assert looked == [files[0], *files[2:]]
    assert (parts[0].expert_hint, parts[1].expert_hint) == ("high", "low")
    assert parts[0].config is not parts[1].config
    os.truncate(files[1], files[1].stat().st_size - 1)
    with pytest.raises(ModelError, match="is cut off"):
        detect_file(files[1])


STRANGERS = {
    "Stable Diffusion 1.x": {
        "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
    },
    "Stable Diffusion XL": {
        "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": (640, 2048),
    },
    "Flux": {"double_blocks.0.img_attn.qkv.weight": (9216, 3072)},
    "HunyuanVideo": {"double_blocks.0.img_attn_qkv.weight": (9216, 3072)},
    "a Stable Diffusion VAE": {"first_stage_model.decoder.up.0.block.0.norm1.weight": (128,)},
    "a T5 text encoder": {
        "shared.weight": (32128, 4096),
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": (32, 64),
    },
    "such as 'whatever', are of no model": {"whatever": (1,)},
    "it is empty": {},
    "Wan Animate": {**shapes_of(tiny()), "face_adapter.fuser_blocks.0.linear2.weight": (1, 1)},
}


@pytest.mark.parametrize("label", STRANGERS)
def test_another_model_is_named(label: str) -> None:
    part = detect(header_of(STRANGERS[label]))
    assert part.kind == "other"
    assert label in part.problem
    assert "Known: Wan 2.1 T2V 1.3B" in part.remedy


def test_a_lora_is_not_taken_for_a_model() -> None:
    shapes = {**shapes_of(tiny()), "blocks.0.self_attn.q.lora_A.weight": (8, 256)}
    assert detect(header_of(shapes)).kind == "lora"


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.lora_down.weight",
        "lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight",
        "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight",
        "diffusion_model.double_blocks.0.img_attn.qkv.lora_B.weight",
    ],
)
def test_loras_of_other_models_are_told(name: str) -> None:
    part = detect(header_of({name: (8, 256)}))
    assert (part.kind, part.label) == ("other", "a LoRA of another model")
    both = detect(header_of({name: (8, 256), "lora_unet_blocks_3_cross_attn_k.lora_down.weight": (8, 256)}))
    assert (both.kind, both.problem) == ("lora", "")


@pytest.mark.parametrize("prefix", ["base_model.model.diffusion_model.", "model.diffusion_model.", "pipe.dit.", ""])
@pytest.mark.parametrize("ending", ["lora_A.weight", "lora_up.weight", "lora_B.default.weight"])
def test_loras_for_wan_are_told_behind_any_prefix(prefix: str, ending: str) -> None:
    part = detect(header_of({f"{prefix}blocks.0.ffn.0.{ending}": (8, 256), f"{prefix}blocks.0.ffn.0.diff_b": (8,)}))
    assert (part.kind, part.label, part.problem) == ("lora", "a LoRA for Wan", "")


def test_what_is_missing_or_strange_is_said() -> None:
    shapes = shapes_of(tiny())
    without = {name: shape for name, shape in shapes.items() if name != "patch_embedding.weight"}
    assert detect(header_of(without)).problem == "the tensor patch_embedding.weight is missing"
    odd = {**shapes, "patch_embedding.weight": (200, 16, 1, 2, 2)}
    assert "width of 200 is no whole number of heads of 128" in detect(header_of(odd)).problem
    flat = {**shapes, "patch_embedding.weight": (256,)}
    assert "shapes unlike any Wan model's" in detect(header_of(flat)).problem
    part = detect(header_of(shapes_of(tiny(num_attention_heads=16))))
    assert part.problem == "it is a Wan transformer with dim 2048, 2 layers, 16 input channels, which is not supported"


WEIGHT = "blocks.0.self_attn.q.weight"
FACTOR = WEIGHT.replace(".weight", ".weight_scale")


def test_number_formats() -> None:
    shapes = shapes_of(tiny())

    def said(also: Shapes, dtype: str = "F8_E4M3", **dtypes: str) -> Part:
        return detect(header_of({**shapes, **also}, dtype=dtype, **dtypes))

    assert said({}).precision == "fp8_e4m3fn"
    assert said({}, "F16").precision == "fp16"
    part = said({"scaled_fp8": (2,), FACTOR.replace("weight_scale", "scale_weight"): ()})
    assert part.problem.endswith("a quantisation that is not supported")
    part = said({FACTOR: (), WEIGHT.replace("weight", "comfy_quant"): (30,)}, **{FACTOR: "F32"})
    assert (part.precision, part.problem) == ("fp8_e4m3fn scaled", "")
    assert said({FACTOR: (256, 1)}, **{FACTOR: "F32"}).problem == ""
    assert "holds 256x8 factors of format F32" in said({FACTOR: (256, 8)}, **{FACTOR: "F32"}).problem
    assert "is in the number format I8" in said({}, **{WEIGHT: "I8"}).problem
    assert "nvfp4, int8" in said({FACTOR + "_2": ()}).problem
    assert "is in the number format IQ2_XS" in said({}, **{WEIGHT: "IQ2_XS"}).problem


NAMES = sorted({name for layout in LAYOUTS.values() for name in (*layout.signs, *layout.landmarks.values())})


@given(st.data())
@settings(max_examples=150)
def test_any_shapes_are_a_part(data: st.DataObject) -> None:
    """Also shapes that no network has: what is found is a part, with a problem or without."""
    layout = data.draw(st.sampled_from(sorted(LAYOUTS)))
    names = {*LAYOUTS[layout].signs, *data.draw(st.sets(st.sampled_from(NAMES)))}
    shapes = {name: data.draw(st.lists(st.integers(0, 6) | st.just(256), max_size=5)) for name in names}
    part = detect(header_of(shapes))
    assert part.as_dict()["path"]
    assert bool(part.problem) == bool(part.remedy)
