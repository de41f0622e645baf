"""`models list`: a table that fits, JSON with everything, and words for what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import model_files
from cli.conftest import Run
from model_files import write_sparse


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a transformer of a long name and a LoRA; the user's own folders are not looked at."""
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = tmp_path / "models"
    write_sparse(folder / f"{'wan-' * 20}t2v.safetensors", model_files.transformer("t2v-1.3b"))
    write_sparse(folder / "lora.safetensors", {"blocks.0.self_attn.q.lora_A.weight": (4, 8)})
    return folder


def test_the_table_fits_and_says_what_is_missing(call: Run, models: Path) -> None:
    result = call("models", "list", str(models))
    assert (result.returncode, result.stderr) == (0, "")
    table, _, more = result.stdout.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 100
    assert "Wan-Tiny" in table
    assert "Wan 2.1 T2V 1.3B" in table
    assert "incomplete" in table
    assert "1 LoRA" in more
    assert "the Wan 2.1 VAE (16 channels) is missing; it could come from Comfy-Org/" in more
    assert "wan-engine models download wan2.1-vae" in more


def test_as_json(call: Run, models: Path) -> None:
    result = call("models", "list", "--json", str(models))
    embedded, model, lora = json.loads(result.stdout)["models"]
    assert (embedded["embedded"], embedded["kind"]) == (True, "model")
    assert (model["family"], model["precision"], len(model["missing"])) == ("Wan 2.1 T2V 1.3B", "bf16", 2)
    assert lora["kind"] == "lora"


def test_without_folders_the_engines_own_are_searched(call: Run, models: Path, tmp_path: Path) -> None:
    models.rename(tmp_path / "state_models")
    (tmp_path / "state").mkdir()
    (tmp_path / "state_models").rename(tmp_path / "state" / "models")
    assert len(json.loads(call("models", "list", "--json").stdout)["models"]) == 3


def test_a_folder_that_is_not_there(call: Run) -> None:
    result = call("models", "list", "nowhere")
    assert result.returncode == 2
    assert "nowhere is no folder" in result.stderr
