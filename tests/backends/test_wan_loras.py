"""LoRAs of clips in the backend: each clip its own, each expert its own, and the same after going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from loras import BLOCKS, kohya_keys, make_change, write_lora
from samples import make_clip, make_plan
from wan_engine.backends import ClipRequest
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.errors import ModelError
from wan_engine.families import Lineup
from wan_engine.plan.model import Clip, ClipLora

Models = Callable[[str], Lineup]


def make_lora(folder: Path, backend: WanBackend, name: str = "ink", **change: Any) -> Path:
    """A strong LoRA for the backend's text-to-video model, of two blocks."""
    transformer = start(backend, clip())._pipeline.transformer
    modules = [module for module in BLOCKS if not module.startswith("blocks.2.")]
    tensors = kohya_keys(
        make_change(transformer, modules, alpha=16.0, **change), lambda module: f"transformer.{module}"
    )
    return write_lora(folder / f"{name}.safetensors", tensors)


def clip(*loras: ClipLora, **changes: Any) -> Clip:
    return make_clip(end=5, frames=5, intervals=4, arrives=4, steps=3, loras=loras, **changes)


def start(backend: WanBackend, which: Clip) -> Any:
    return backend.start(ClipRequest(which, 64, 32))


def latents(run: Any) -> np.ndarray[Any, Any]:
    return run.state().arrays["latents"]


def finished(run: Any) -> np.ndarray[Any, Any]:
    while run.steps_done < 3:
        run.step()
    return latents(run)


@pytest.fixture
def backend(tiny_lineup: Models) -> WanBackend:
    return WanBackend(tiny_lineup("plain"), Options(device="cpu"))


def test_each_clip_has_its_own(tmp_path: Path, backend: WanBackend) -> None:
    plain = finished(start(backend, clip()))
    path = str(make_lora(tmp_path, backend))
    full = finished(start(backend, clip(ClipLora("ink", path, 1.0))))
    half = finished(start(backend, clip(ClipLora("ink", path, 0.5))))
    assert np.abs(full - plain).mean() > np.abs(half - plain).mean() > 0.001
    assert np.array_equal(finished(start(backend, clip())), plain)
    assert np.array_equal(finished(start(backend, clip(ClipLora("ink", path, 1.0)))), full)


def test_clips_that_run_by_turns_keep_apart(tmp_path: Path, backend: WanBackend) -> None:
    path = str(make_lora(tmp_path, backend))
    clips = [clip(), clip(ClipLora("ink", path, 1.0)), clip(ClipLora("ink", path, -0.5))]
    alone = [finished(start(backend, one)) for one in clips]
    runs = [start(backend, one) for one in clips]
    for _ in range(3):
        for run in runs:
            run.step()
    assert all(np.array_equal(latents(run), whole) for run, whole in zip(runs, alone, strict=True))


def test_going_on_ends_the_same(tmp_path: Path, backend: WanBackend, tiny_lineup: Models) -> None:
    path = str(make_lora(tmp_path, backend))
    with_lora = clip(ClipLora("ink", path, 0.7))
    whole = start(backend, with_lora)
    whole.step()
    state = whole.state()
    other = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    again = other.start(ClipRequest(with_lora, 64, 32), state)
    assert np.array_equal(finished(again), finished(whole))


def test_two_at_once_and_one_file_twice(tmp_path: Path, backend: WanBackend) -> None:
    one, two = (str(make_lora(tmp_path, backend, name, seed=seed)) for name, seed in (("one", 1), ("two", 2)))
    both = finished(start(backend, clip(ClipLora("one", one, 0.5), ClipLora("two", two, 0.5))))
    assert not np.array_equal(both, finished(start(backend, clip(ClipLora("one", one, 0.5)))))
    parts = (ClipLora("one", one, 0.25, "high"), ClipLora("one", one, 0.25, "low"), ClipLora("two", two, 0.5))
    assert np.array_equal(finished(start(backend, clip(*parts))), both), "one transformer is changed by all"


def test_each_expert_has_its_own(tmp_path: Path, tiny_lineup: Models) -> None:
    """The first step is the high-noise expert's (its timestep is 1000), the last one the other's."""
    backend = WanBackend(tiny_lineup("two_experts"), Options(device="cpu"))
    path = str(make_lora(tmp_path, backend))

    def after(expert: str, steps: int) -> np.ndarray[Any, Any]:
        run = start(backend, clip(*([ClipLora("ink", path, 1.0, expert)] if expert else []), flow_shift=1.0))
        for _ in range(steps):
            run.step()
        return latents(run)

    first = {expert: after(expert, 1) for expert in ("", "high", "low", "both")}
    assert np.array_equal(first["low"], first[""])
    assert np.array_equal(first["high"], first["both"])
    assert not np.array_equal(first["high"], first[""])
    last = {expert: after(expert, 3) for expert in ("", "high", "low", "both")}
    pairs = [(a, b) for a in last for b in last if a < b]
    assert not any(np.array_equal(last[a], last[b]) for a, b in pairs)


def test_what_is_resolved_tells_files_of_one_name_apart(tmp_path: Path, backend: WanBackend) -> None:
    before = torch.get_num_threads()
    path = str(make_lora(tmp_path, backend))
    plan = make_plan(clip(ClipLora("ink", path, 1.0)), clip(), height=32)
    first = backend.resolve(plan)["loras"]
    assert list(first) == [path]
    make_lora(tmp_path, backend, seed=5)
    assert backend.resolve(plan)["loras"] != first
    torch.set_num_threads(before)


def test_a_file_that_is_gone_is_said_before_the_first_step(tmp_path: Path, backend: WanBackend) -> None:
    with pytest.raises(ModelError, match=r"gone\.safetensors cannot be read"):
        start(backend, clip(ClipLora("gone", str(tmp_path / "gone.safetensors"), 1.0)))


def test_closing_forgets_them(tmp_path: Path, backend: WanBackend) -> None:
    path = str(make_lora(tmp_path, backend))
    transformer = start(backend, clip(ClipLora("ink", path, 1.0)))._pipeline.transformer
    assert any("lora_" in name for name, _ in transformer.named_parameters())
    backend.close()
    fresh = start(backend, clip())._pipeline.transformer
    assert not any("lora_" in name for name, _ in fresh.named_parameters())
