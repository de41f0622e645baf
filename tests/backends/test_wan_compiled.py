"""Compiled blocks compute the same film, and a compiler that fails costs a sentence, not the film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from samples import make_clip, make_plan
from wan_engine.backends import ClipRequest
from wan_engine.backends.wan import Options, WanBackend, forward
from wan_engine.families import Lineup

Models = Callable[[str], Lineup]


def clip_of(index: int = 0, frames: int = 9) -> Any:
    when = {"index": index, "start": 8 * index, "end": 8 * index + 8, "arrives": 8 * index + 8, "chain": index}
    return make_clip(**when, frames=frames, intervals=frames - 1, prompt="a red square", steps=2, guidance_scale=2.0)


PLAN = make_plan(clip_of(), width=32, height=32)


def frames_of(backend: WanBackend, clip: Any) -> np.ndarray:
    run = backend.start(ClipRequest(clip, 32, 32))
    while run.steps_done < clip.steps:
        run.step()
    return np.stack(list(run.frames()))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def backend(tiny_lineup: Models, said: list[str]) -> Iterator[WanBackend]:
    made = WanBackend(tiny_lineup("plain"), Options(device="cpu", compile="on"), said.append)
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(tiny_lineup: Models) -> np.ndarray:
    return frames_of(WanBackend(tiny_lineup("plain"), Options(device="cpu")), clip_of())


@pytest.fixture
def variants(monkeypatch: pytest.MonkeyPatch) -> list[torch.fx.GraphModule]:
    """What torch hands its compiler, which here returns it unchanged: all is traced, and no C++ is compiled."""
    handed: list[torch.fx.GraphModule] = []

    def compiler(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        handed.append(graph)
        return graph.forward

    monkeypatch.setattr(forward, "COMPILER", compiler)
    return handed


def test_blocks_are_compiled_once_for_each_length(
    backend: WanBackend, undisturbed: np.ndarray, said: list[str], variants: list[torch.fx.GraphModule]
) -> None:
    settled = backend.settle_memory(PLAN)
    assert (settled["compiled"], settled["compile"]) == ([9], "on, as set")
    assert np.abs(frames_of(backend, clip_of()).astype(int) - undisturbed).max() <= 1
    first = len(variants)
    assert first > 0
    frames_of(backend, clip_of(1))
    assert len(variants) == first
    # A length that was not decided for is not compiled.
    frames_of(backend, clip_of(2, frames=5))
    assert len(variants) == first
    assert said == []


def test_without_being_asked_nothing_is_compiled_on_a_cpu(
    tiny_lineup: Models, variants: list[torch.fx.GraphModule]
) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    settled = backend.settle_memory(PLAN)
    assert (settled["compiled"], settled["compile"]) == ([], "off: only CUDA devices gain from it")
    frames_of(backend, clip_of())
    assert variants == []
    backend.close()


def test_what_the_plan_says_is_kept(backend: WanBackend) -> None:
    before = replace(PLAN, resolved={"device": "cpu", "compiled": []})
    assert backend.settle_memory(before)["compile"] == "as the film was begun"
    assert backend.settle_memory(before)["compiled"] == []


def test_a_compiler_that_fails_is_told_and_the_film_goes_on(
    backend: WanBackend, undisturbed: np.ndarray, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiler(graph: Any, inputs: Any) -> Any:
        raise OSError("no C++ compiler here")

    monkeypatch.setattr(forward, "COMPILER", compiler)
    backend.settle_memory(PLAN)
    assert np.array_equal(frames_of(backend, clip_of()), undisturbed)
    assert len(said) == 1
    assert "could not be compiled; they run as they are" in said[0]
    assert "no C++ compiler here" in said[0]


def test_other_errors_are_not_the_compilers(backend: WanBackend, variants: list[torch.fx.GraphModule]) -> None:
    backend.settle_memory(PLAN)
    run = backend.start(ClipRequest(clip_of(), 32, 32))

    def broken(*_: Any) -> None:
        raise ValueError("a hook of ours")

    run._pipeline.transformer.register_forward_pre_hook(broken)
    with pytest.raises(ValueError, match="a hook of ours"):
        run.step()


@pytest.mark.slow
def test_torchs_own_compiler_gives_the_same_picture(
    backend: WanBackend, undisturbed: np.ndarray, said: list[str]
) -> None:
    backend.settle_memory(PLAN)
    assert np.abs(frames_of(backend, clip_of()).astype(int) - undisturbed).max() <= 1
    assert said == []
