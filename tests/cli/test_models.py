"""`models check`: lines for people, one document for programs, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from checkpoints import write_safetensors
from cli.conftest import Run


def test_it(call: Run, tmp_path: Path) -> None:
    write_safetensors(tmp_path / "flux.safetensors", {"double_blocks.0.img_attn.qkv.weight": torch.ones(2)})
    pair = {"blocks.0.ffn.0.lora_A.weight": torch.ones(4, 24), "blocks.0.ffn.0.lora_B.weight": torch.ones(48, 4)}
    write_safetensors(tmp_path / "lora.safetensors", pair)
    good = call("models", "check", "lora.safetensors")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("lora.safetensors: a LoRA\n  lora, fp32, 0.0 MB\n")
    bad = call("models", "check", ".", "nowhere.gguf")
    assert bad.returncode == 3
    assert "flux.safetensors: Flux\n" in bad.stdout
    assert "  cannot be used: it is Flux, not a part of a Wan model. Known: Wan 2.1 T2V 1.3B" in bad.stdout
    assert "nowhere.gguf does not exist" in bad.stdout


def test_as_json(call: Run, tmp_path: Path) -> None:
    write_safetensors(tmp_path / "flux.safetensors", {"double_blocks.0.img_attn.qkv.weight": torch.ones(2)})
    result = call("models", "check", "flux.safetensors", "--json")
    assert result.returncode == 3
    (entry,) = json.loads(result.stdout)["files"]
    assert (entry["path"], entry["kind"], entry["what"]) == ("flux.safetensors", "other", "Flux")
    assert entry["problem"]
    assert entry["remedy"]


def test_without_a_path(call: Run) -> None:
    assert call("models", "check").returncode == 2
    assert call("models").returncode == 2
