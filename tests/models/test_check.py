"""What is said of files and folders: what they are, what they load into, what they need, what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import model_files
from checkpoints import umt5, write_gguf, write_safetensors, write_torch
from untrained import write_untrained
from wan_engine.models.check import Finding, check
from wan_engine.models.detect import detect_file
from wan_engine.models.tokenizer import find_tokenizer


def state_of(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    (file,) = folder.glob("*.safetensors")
    return load_file(file)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_untrained(folder)
    return folder


def one(path: Path) -> Finding:
    (finding,) = check(path)
    json.dumps(finding.as_dict())
    return finding


def test_a_folder_of_models(tiny: Path) -> None:
    findings = list(check(tiny))
    assert [(finding.kind, finding.loads_into) for finding in findings] == [
        ("model", "WanImageToVideoPipeline"),
        ("model", "WanPipeline"),
    ]
    assert "random" in findings[0].notes[0]
    assert all(finding.size and not finding.problem for finding in findings)


def test_a_damaged_model(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    assert "names no transformer" in one(tmp_path).problem
    empty = tmp_path / "empty"
    empty.mkdir()
    assert one(empty).problem == "no weight files are in it"


def test_files_one_by_one(tiny: Path, tmp_path: Path) -> None:
    """Small networks of diffusers are found out from their weights alone, and a folder's files in order."""
    write_safetensors(tmp_path / "vae.safetensors", state_of(tiny / "vae"))
    (tmp_path / "notes.txt").write_text("no weights")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    text = umt5(state_of(tiny / "text_encoder"), "transformers")
    below = tmp_path / "text_encoders"
    below.mkdir()
    write_torch(below / "umt5.pth", text)
    findings = {Path(finding.path).name: finding for finding in check(tmp_path)}
    assert list(findings) == ["broken.gguf", "umt5.pth", "vae.safetensors"]
    assert "the file ends in it" in findings["broken.gguf"].problem
    assert findings["umt5.pth"].loads_into == "UMT5EncoderModel"
    assert "google/umt5-xxl" in findings["umt5.pth"].needs[0]
    # The VAE of the tests has one block less a stage than any published one.
    assert "missing tensors" in findings["vae.safetensors"].problem


def test_tokenizers(tiny: Path, tmp_path: Path) -> None:
    state = umt5(state_of(tiny / "text_encoder"), "transformers")
    path = write_safetensors(tmp_path / "a.safetensors", state)
    assert find_tokenizer(path) is None
    assert not detect_file(path).has_tokenizer
    carrying = write_safetensors(
        tmp_path / "b.safetensors", {**state, "spiece_model": torch.ones(9, dtype=torch.uint8)}
    )
    assert detect_file(carrying).has_tokenizer
    assert one(carrying).needs == ()
    folder = tmp_path / "google" / "umt5-xxl"
    folder.mkdir(parents=True)
    (folder / "tokenizer_config.json").write_text("{}")
    assert find_tokenizer(path) is None
    (folder / "spiece.model").write_bytes(b"")
    assert find_tokenizer(path) == folder
    assert one(path).needs == ()


def test_shards_are_one_finding(tiny: Path, tmp_path: Path) -> None:
    state = umt5(state_of(tiny / "text_encoder"), "transformers")
    names = sorted(state)
    index = tmp_path / "model.safetensors.index.json"
    parts = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}
    index.write_text(json.dumps({"weight_map": {name: file for file, some in parts.items() for name in some}}))
    for file, some in parts.items():
        write_safetensors(tmp_path / file, {name: state[name] for name in some})
    assert (one(tmp_path).path, one(tmp_path).problem) == (str(index), "")
    (tmp_path / "two.safetensors").unlink()
    problems = [finding.problem for finding in check(tmp_path)]
    assert "two.safetensors is missing" in problems[0]
    assert len(problems) == 2


def lora_shapes(kind: str) -> dict[str, tuple[int, ...]]:
    """A LoRA of rank 4 for every linear layer of a published transformer."""
    pairs: dict[str, tuple[int, ...]] = {}
    for name, shape in model_files.transformer(kind).items():
        if name.endswith(".weight") and len(shape) == 2:
            module = f"diffusion_model.{name.removesuffix('.weight')}"
            pairs |= {f"{module}.lora_A.weight": (4, shape[1]), f"{module}.lora_B.weight": (shape[0], 4)}
    return pairs


def test_loras_say_what_they_fit(tmp_path: Path) -> None:
    small = one(model_files.write_sparse(tmp_path / "a.safetensors", lora_shapes("t2v-1.3b")))
    assert (small.what, small.kind, small.problem) == ("a LoRA for Wan", "lora", "")
    assert small.families == ("wan2.1-t2v-1.3b", "wan2.1-fun-inp-1.3b", "wan2.1-vace-1.3b")
    assert small.notes[0] == "all of it fits: Wan 2.1 T2V 1.3B, Wan 2.1 Fun-InP 1.3B, Wan 2.1 VACE 1.3B"
    assert small.notes[1] == "306 modules, rank 4"
    pictured = one(model_files.write_sparse(tmp_path / "b.safetensors", lora_shapes("i2v-14b")))
    assert pictured.families == ("wan2.1-i2v-14b", "wan2.1-fun-inp-14b", "wan2.1-flf2v-14b")
    more = {**lora_shapes("t2v-14b"), "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (4, 8)}
    partly = one(model_files.write_sparse(tmp_path / "c.safetensors", more))
    assert partly.notes[0].startswith("changes 406 modules; left out: 1 that this model has not (lora_te_text")
    assert "wan2.2-t2v-a14b" in partly.families
    tiny = {"blocks.0.ffn.0.lora_A.weight": (4, 24), "blocks.0.ffn.0.lora_B.weight": (48, 4)}
    odd = one(model_files.write_sparse(tmp_path / "d.safetensors", tiny))
    assert (odd.problem, odd.notes) == ("", ("it fits none of the published Wan models in size", "1 module, rank 4"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("blocks.0.ffn.0.lokr_w1", "not a plain LoRA but LoKr"),
        ("lora_unet_blocks_0_ffn_0.hada_w1_a", "not a plain LoRA but LoHa"),
        ("blocks.0.ffn.0.lora_A.weight", "without its counterpart"),
        ("lora_unet_down_blocks_0_attentions_0.lora_down.weight", "a LoRA of another model, not for Wan"),
    ],
)
def test_loras_that_cannot_be_used_are_refused(name: str, problem: str, tmp_path: Path) -> None:
    finding = one(model_files.write_sparse(tmp_path / "it.safetensors", {name: (4, 8)}))
    assert problem in finding.problem
    assert finding.remedy


def test_what_a_transformer_needs(tmp_path: Path) -> None:
    from diffusers import WanTransformer3DModel

    from checkpoints import official_transformer

    figures = {"num_attention_heads": 1, "num_layers": 1, "ffn_dim": 32, "text_dim": 32, "freq_dim": 32}
    for in_channels, out_channels, image, needs in (
        (16, 16, None, ["the Wan 2.1 VAE", "the UMT5-XXL text encoder"]),
        (48, 48, None, ["the Wan 2.2 VAE (48 channels)", "the UMT5-XXL text encoder"]),
        (36, 16, 8, ["the Wan 2.1 VAE", "the UMT5-XXL text encoder", "OpenCLIP ViT-H/14 (image encoder)"]),
    ):
        also = {"image_dim": image, "added_kv_proj_dim": 128 if image else None}
        model = WanTransformer3DModel(**figures, in_channels=in_channels, out_channels=out_channels, **also)
        finding = one(write_gguf(tmp_path / "low-noise.gguf", official_transformer(model.state_dict()), {}))
        assert finding.problem == ""
        assert list(finding.needs) == needs
        assert (finding.expert_hint, finding.loads_into) == ("low", "WanTransformer3DModel")
