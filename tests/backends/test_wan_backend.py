"""What the backend decides about the machine, and what it says when something cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from samples import make_clip, make_plan
from wan_engine.backends import ClipRequest
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.backends.wan.guard import guarded
from wan_engine.backends.wan.texts import MAX_TEXT_TOKENS
from wan_engine.errors import CapabilityError, OutOfMemoryError, RenderError
from wan_engine.families import Lineup, Mode
from wan_engine.plan.model import Clip, Plan

Models = Callable[[str], Lineup]
PICTURE = np.full((32, 64, 3), 128, np.uint8)


def short_clip(mode: Mode = "t2v", **changes: Any) -> Clip:
    short = {"index": 2, "end": 5, "frames": 5, "intervals": 4, "arrives": 4, "steps": 2}
    return make_clip(mode=mode, **{**short, **changes})


def make_request(clip: Clip, **changes: Any) -> ClipRequest:
    start, end = (PICTURE if clip.mode != "t2v" else None), (PICTURE if clip.mode == "flf2v" else None)
    return replace(ClipRequest(clip, 64, 32, start, end), **changes)


def short_plan(*modes: Mode, **resolved: Any) -> Plan:
    return make_plan(*(short_clip(mode) for mode in modes), height=32, resolved=resolved)


@pytest.fixture
def threads() -> Any:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_what_was_resolved_is_kept(tiny_lineup: Models) -> None:
    backend = WanBackend(tiny_lineup("plain"))
    first = backend.resolve(short_plan("t2v", "i2v"))
    assert set(first["models"]) == {"t2v", "i2v"}
    assert first["models"]["t2v"]["sha256"] != first["models"]["i2v"]["sha256"]
    assert first["versions"]["torch"] == torch.__version__
    assert first["threads"] == 1, "small models gain nothing from more"
    changed = {**first, "threads": 2, "dtype": "bfloat16", "device": "cpu"}
    again = WanBackend(tiny_lineup("plain")).resolve(short_plan("t2v", "i2v", **changed))
    assert (again["threads"], again["dtype"]) == (changed["threads"], "bfloat16")
    assert torch.get_num_threads() == changed["threads"]
    assert again["models"] == first["models"]


@pytest.mark.usefixtures("threads")
def test_what_is_not_here_comes_back_changed(tiny_lineup: Models) -> None:
    away = WanBackend(tiny_lineup("plain")).resolve(
        short_plan("t2v", device="cuda:77", models={"t2v": {"sha256": "0"}})
    )
    assert away["device"] != "cuda:77"
    assert away["models"]["t2v"]["sha256"] != "0"
    with pytest.raises(CapabilityError, match="cuda:77"):
        WanBackend(tiny_lineup("plain"), Options(device="cuda:77")).resolve(short_plan("t2v"))


def test_a_mode_without_a_model_is_said(tiny_lineup: Models) -> None:
    backend = WanBackend(tiny_lineup("ti2v"), Options(device="cpu"))
    with pytest.raises(CapabilityError, match="needs first-last-frame-to-video; the models can do text-to-video and"):
        backend.start(make_request(short_clip("flf2v")))


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("got the wrong pictures", {"start_image": None}),
        ("got the wrong pictures", {"end_image": PICTURE}),
        ("a picture of shape", {"start_image": np.zeros((16, 16, 3), np.uint8)}),
        ("64x24 does not fit this model", {"height": 24, "start_image": np.zeros((24, 64, 3), np.uint8)}),
        ("asks for 6 frames", {"frames": 6}),
        ('no sampler "magic"', {"sampler": "magic"}),
    ],
)
def test_requests_that_do_not_fit(message: str, changes: dict[str, Any], tiny_lineup: Models) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    of_clip = {name: value for name, value in changes.items() if name in ("frames", "sampler")}
    of_request = {name: value for name, value in changes.items() if name not in of_clip}
    with pytest.raises(RenderError, match=message):
        backend.start(make_request(short_clip("i2v", **of_clip), **of_request))


def test_steps_and_frames_only_when_they_are_due(tiny_lineup: Models) -> None:
    run = WanBackend(tiny_lineup("plain"), Options(device="cpu")).start(make_request(short_clip()))
    run.step()
    with pytest.raises(RenderError, match="not ready"):
        run.frames()
    run.step()
    with pytest.raises(RenderError, match="all its 2 steps"):
        run.step()
    assert len(list(run.frames())) == 5
    with pytest.raises(RenderError, match="decoded already"):
        run.frames()


def test_each_text_is_encoded_once(tiny_lineup: Models) -> None:
    models = tiny_lineup("plain")
    backend = WanBackend(models, Options(device="cpu"))
    backend.start(make_request(short_clip()))
    assert backend._session is not None
    encoder = backend._session.loader.text_pipeline(models.card("t2v")).text_encoder
    texts: list[torch.Size] = []
    hook = encoder.register_forward_hook(lambda *call: texts.append(call[1][0].shape))
    backend.start(make_request(short_clip(seed=9)))
    backend.start(make_request(short_clip("i2v")))
    assert texts == []
    backend.start(make_request(short_clip(prompt="another", guidance_scale=1.0)))
    assert texts == [torch.Size([1, MAX_TEXT_TOKENS])]
    hook.remove()


def test_numbers_that_overflow_stop_the_clip(tiny_lineup: Models) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    run = backend.start(make_request(short_clip()))
    run._pipeline.transformer.proj_out.bias.fill_(float("nan"))
    with pytest.raises(RenderError, match="clip 2 became not-a-number at step 1") as caught:
        run.step()
    assert "dtype" in caught.value.remedy
    assert run.steps_done == 0


def test_memory_that_is_not_there() -> None:
    with pytest.raises(OutOfMemoryError, match="ran out of memory while testing") as caught, guarded("testing"):
        torch.empty(2**48, dtype=torch.float64)
    assert "width" in caught.value.remedy
    with pytest.raises(OutOfMemoryError), guarded("testing"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with pytest.raises(RenderError, match="torch failed while testing: shape"), guarded("testing"):
        torch.zeros(2).reshape(3)
    assert torch.is_grad_enabled()


def test_large_previews_are_made_smaller(tiny_lineup: Models) -> None:
    clip = short_clip(frames=1, guidance_scale=1.0)
    run = WanBackend(tiny_lineup("plain"), Options(device="cpu")).start(ClipRequest(clip, 1024, 256))
    assert run.preview().shape == (128, 512, 3)


def test_closing_twice_and_going_on(tiny_lineup: Models) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    first = backend.start(make_request(short_clip()))
    backend.close()
    backend.close()
    second = backend.start(make_request(short_clip()))
    assert np.array_equal(first.state().arrays["latents"], second.state().arrays["latents"])
