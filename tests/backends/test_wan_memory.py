"""A full memory steps down and changes no picture; all texts are encoded at once, and never again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from samples import make_clip, make_plan
from wan_engine.backends import ClipRequest
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.errors import OutOfMemoryError
from wan_engine.families import Lineup
from wan_engine.models.memory import place
from wan_engine.models.memory.place import Placer, offload_groups, store_in_fp8, without_groups
from wan_engine.models.memory.profiles import BALANCED, FAST, LOW, MINIMAL

Models = Callable[[str], Lineup]


def clip_of(number: int = 0, prompt: str = "a red square") -> Any:
    start = 8 * number
    when = {"index": number, "start": start, "end": start + 8, "arrives": start + 8, "chain": number}
    return make_clip(**when, frames=9, intervals=8, prompt=prompt, steps=3, guidance_scale=2.0)


def request() -> ClipRequest:
    return ClipRequest(clip_of(), 32, 32)


def frames_of(run: Any) -> np.ndarray:
    while run.steps_done < 3:
        run.step()
    return np.stack(list(run.frames()))


class Full:
    """Makes a module raise what a full GPU raises, in its calls of these numbers."""

    def __init__(self, module: torch.nn.Module, *calls: int) -> None:
        self.count = 0
        self._calls = calls
        module.register_forward_pre_hook(self._hook)

    def _hook(self, *_: Any) -> None:
        self.count += 1
        if self.count in self._calls:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def backend(tiny_lineup: Models, said: list[str]) -> Iterator[WanBackend]:
    made = WanBackend(tiny_lineup("plain"), Options(device="cpu"), said.append)
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(tiny_lineup: Models) -> np.ndarray:
    return frames_of(WanBackend(tiny_lineup("plain"), Options(device="cpu")).start(request()))


@pytest.mark.parametrize("calls", [(1,), (2,), (3, 4), (6,)], ids=str)
def test_a_step_is_done_again(
    backend: WanBackend, undisturbed: np.ndarray, said: list[str], calls: tuple[int, ...]
) -> None:
    run = backend.start(request())
    Full(run._pipeline.transformer, *calls)
    assert np.array_equal(frames_of(run), undisturbed)
    assert len(said) == len(calls)
    assert "ran out of memory while denoising clip 0" in said[0]
    assert "goes on with the memory profile balanced" in said[0]
    assert backend.profile is (BALANCED, LOW)[len(calls) - 1]


def test_decoding_goes_on_where_it_was(backend: WanBackend, undisturbed: np.ndarray, said: list[str]) -> None:
    run = backend.start(request())
    decoder = Full(run._pipeline.vae.decoder, 2)
    assert np.array_equal(frames_of(run), undisturbed)
    assert decoder.count == 5  # three latent frames: one and a failure, then all three again
    assert "while decoding clip 0" in said[0]


def test_texts_and_conditions_are_made_again(
    backend: WanBackend, undisturbed: np.ndarray, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend._settle({})
    assert backend._session is not None
    loader = backend._session.loader
    Full(loader.text_pipeline(backend._lineup.card("t2v")).text_encoder, 1)
    assert np.array_equal(frames_of(backend.start(request())), undisturbed)
    assert "while encoding the texts of clip 0" in said[0]


def test_below_the_last_profile_it_is_an_error_with_a_remedy(tiny_lineup: Models, said: list[str]) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu", memory_profile="low"), said.append)
    run = backend.start(request())
    Full(run._pipeline.transformer, 1, 2)
    with pytest.raises(OutOfMemoryError, match="smaller width and height"):
        run.step()
    assert backend.profile is MINIMAL
    assert len(said) == 1
    backend.close()


def plan_of(*prompts: str) -> Any:
    clips = tuple(clip_of(number, prompt) for number, prompt in enumerate(prompts))
    return make_plan(*clips, width=32, height=32)


def encodings(backend: WanBackend) -> list[int]:
    """Calls of the text encoder from now on; fails where there is none yet."""
    assert backend._session is not None
    counted: list[int] = []
    load = backend._session.loader.text_pipeline

    def loading(card: Any) -> Any:
        pipeline = load(card)
        pipeline.text_encoder.register_forward_hook(lambda *_: counted.append(1))
        return pipeline

    backend._session.loader.text_pipeline = loading  # type: ignore[method-assign]
    return counted


def test_all_texts_of_a_plan_are_encoded_once_for_ever(
    tiny_lineup: Models, tmp_path: Path, undisturbed: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    options = Options(device="cpu", memory_profile="balanced", prompts=tmp_path / "prompts")
    first = WanBackend(tiny_lineup("plain"), options)
    plan = plan_of("a red square", "a blue circle")
    assert first.settle_memory(plan)["memory_profile"] == "balanced"
    counted = encodings(first)
    assert np.array_equal(frames_of(first.start(request())), undisturbed)
    assert len(counted) == 3  # both prompts and the negative one
    assert first._session is not None
    assert not first._session.loader._text_pipelines  # type: ignore[attr-defined]
    first.start(ClipRequest(plan.clips[1], 32, 32))
    assert len(counted) == 3
    first.close()
    with caplog.at_level(logging.INFO):
        second = WanBackend(tiny_lineup("plain"), options)
        second.settle_memory(plan)
        counted = encodings(second)
        assert np.array_equal(frames_of(second.start(request())), undisturbed)
    assert counted == []
    assert "UMT5" not in caplog.text
    second.close()


def test_a_profile_is_kept_when_a_film_goes_on(tiny_lineup: Models, said: list[str]) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(), said.append)
    plan = make_plan(*plan_of("a red square").clips, width=32, height=32, resolved={"device": "cpu"})
    settled = backend.settle_memory(plan)
    assert settled["memory_profile"] == "fast"
    assert settled["memory"].startswith("on the CPU all is in main memory, about ")
    plan.resolved.update(memory_profile="low")
    assert backend.settle_memory(plan)["memory_profile"] == "low"
    for asked, kept in (("balanced", "low"), ("minimal", "minimal")):
        other = WanBackend(tiny_lineup("plain"), Options(memory_profile=asked))
        assert other.settle_memory(plan)["memory_profile"] == kept
    assert said == []
    backend.close()


@pytest.mark.parametrize("kind", ["block_level", "leaf_level"])
def test_what_passes_through_in_pieces_gives_the_same(backend: WanBackend, undisturbed: np.ndarray, kind: str) -> None:
    run = backend.start(request())
    transformer = run._pipeline.transformer
    offload_groups(transformer, "cpu", kind)
    assert np.array_equal(frames_of(run), undisturbed)
    without_groups(transformer)
    assert not any(
        hasattr(module, "_diffusers_hook") and module._diffusers_hook.hooks for module in transformer.modules()
    )


def test_weights_in_fp8_compute_as_before_and_take_less(backend: WanBackend, undisturbed: np.ndarray) -> None:
    run = backend.start(request())
    transformer = run._pipeline.transformer
    store_in_fp8(transformer, "float32")
    assert transformer.blocks[0].ffn.net[2].weight.dtype is torch.float8_e4m3fn
    assert transformer.dtype is torch.float32
    near = frames_of(run).astype(float)
    assert np.abs(near - undisturbed).max() > 0
    assert np.abs(near - undisturbed).mean() < 20


def test_a_component_nobody_names_is_forgotten() -> None:
    placer = Placer("cpu", FAST)
    placer.place("text_encoder", torch.nn.Linear(2, 2))
    kept = torch.nn.Linear(2, 2)
    placer.place("image_encoder", kept)
    placer.change(LOW)
    assert [name for name, _ in placer._alive()] == ["image_encoder"]
    assert placer.device_of("text_encoder") == "cpu"
    assert Placer("cuda:1", MINIMAL).device_of("text_encoder") == "cpu"
    assert Placer("cuda:1", FAST).reads_to("transformer") == "cuda:1"
    assert Placer("cuda:1", FAST, fp8=True).reads_to("transformer") == "cpu"
    assert Placer("cuda:1", BALANCED).reads_to("transformer_2") == "cpu"


def test_what_was_lent_to_the_device_comes_back_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    # There is no device here: all that is in main memory is lent to main memory, as copies.
    monkeypatch.setattr(place, "_is_on", lambda tensor, device: id(tensor) in there)
    there: set[int] = set()
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)).requires_grad_(False)
    before = {name: tensor.data_ptr() for name, tensor in module.state_dict().items()}
    lent: list[Any] = []
    place.lend(module, "cpu", lent)
    there |= {id(each.tensor) for each in lent}
    place.lend(module, "cpu", lent)
    assert [each.data.data_ptr() for each in lent] == list(before.values())
    assert not {tensor.data_ptr() for tensor in module.state_dict().values()} & set(before.values())
    with torch.no_grad():
        module[0].weight.copy_(torch.full((2, 2), 7.0))  # as a LoRA with .diff does
    place.take_back(module, lent)
    after = {name: tensor.data_ptr() for name, tensor in module.state_dict().items()}
    assert [name for name in before if after[name] != before[name]] == ["0.weight"]
    assert torch.equal(module[0].weight, torch.full((2, 2), 7.0))


def test_where_both_memories_are_one_nothing_is_kept_twice() -> None:
    class Moved(torch.nn.Linear):
        places: tuple[Any, ...] = ()

        def to(self, *places: Any, **more: Any) -> Any:
            self.places += places
            return self

    module, lent = Moved(2, 2), []  # type: Moved, list[Any]
    place.lend(module, "mps", lent)
    place.take_back(module, lent)
    assert module.places == ("mps", "cpu")
    assert not lent
