"""Clips that begin with several known frames: what the model is shown, and what of them is in the finished clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from samples import make_clip
from wan_engine.backends import ClipRequest
from wan_engine.backends.control import FILL, KEEP, Control, ControlFrame
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.backends.wan.conditions import check_request
from wan_engine.backends.wan.known import hold, image_condition, known_video
from wan_engine.backends.wan.run import WanRun
from wan_engine.backends.wan.vace import vace_control
from wan_engine.errors import RenderError
from wan_engine.families import Lineup, Mode
from wan_engine.models.load import Loader

WIDTH, HEIGHT, OVERLAP = 64, 32, 5


@pytest.fixture
def request_for() -> Callable[..., ClipRequest]:
    """A clip of 13 frames that repeats 5 of the one before."""

    def make(mode: Mode, **changes: Any) -> ClipRequest:
        values = {"continuity": "overlap", "overlap": OVERLAP, "overlap_noise": 20, "steps": 2, **changes}
        clip = make_clip(mode=mode, index=1, frames=13, intervals=8, **values)
        numbers = np.random.default_rng(3).integers(0, 256, (OVERLAP + 1, HEIGHT, WIDTH, 3), dtype=np.uint8)
        end = numbers[OVERLAP] if clip.end_image else None
        return ClipRequest(clip, WIDTH, HEIGHT, None, end, tuple(numbers[:OVERLAP]))

    return make


def _pipeline(lineup: Lineup, mode: Mode) -> Any:
    return Loader("cpu", "float32").pipeline(lineup.card(mode), mode)


def _finished(backend: WanBackend, request: ClipRequest) -> WanRun:
    run = backend.start(request)
    while run.steps_done < request.clip.steps:
        run.step()
    return run


@pytest.mark.parametrize("end", [False, True])
def test_vace_is_shown_the_known_frames_and_a_mask(tiny_lineup: Any, request_for: Any, end: bool) -> None:
    pipeline = _pipeline(tiny_lineup("vace"), "vace")
    request = request_for("vace", end_image="x" if end else "")
    video, known = known_video(pipeline, request, "cpu")
    assert known.tolist() == [*[True] * 5, *[False] * 7, end]
    assert np.array_equal(((video[0, :, 4].permute(1, 2, 0) + 1) * 127.5).round().numpy(), request.beginning[4])
    assert not video[:, :, 5:12].any()
    latents, rest = vace_control(pipeline, request, "cpu")
    assert latents.shape == (1, 16, 4, 4, 8)
    assert rest.shape == (1, 16 + 64, 4, 4, 8)
    # The pipeline folds 13 masks into 4: the known ones first.
    assert rest[0, 16:, 0].max() == 0
    assert rest[0, 16:, 2].min() == 1


def test_image_to_video_gets_a_mask_of_all_known_frames(tiny_lineup: Any, request_for: Any) -> None:
    pipeline = _pipeline(tiny_lineup("plain"), "i2v")
    latents, mask = image_condition(pipeline, request_for("i2v"), "cpu")
    assert latents.shape == (1, 16, 4, 4, 8)
    assert mask[0, :, :, 0, 0].T.tolist() == [[1] * 4, [1] * 4, [0] * 4, [0] * 4]


def test_a_model_with_a_timestep_for_each_frame_holds_the_known_ones(tiny_lineup: Any, request_for: Any) -> None:
    backend = WanBackend(tiny_lineup("ti2v"), Options(device="cpu"))
    request = request_for("i2v")
    latents, mask = image_condition(_pipeline(tiny_lineup("ti2v"), "i2v"), request, "cpu")
    assert mask[0, 0, :, 0, 0].tolist() == [0, 0, 1, 1]
    assert latents[:, :, :2].any()
    assert not latents[:, :, 2:].any()
    assert len(list(_finished(backend, request).frames())) == 13


def test_an_overlap_is_shown_with_noise_and_held_without() -> None:
    latents, noise = torch.randn(2, 1, 16, 4, 4, 8, generator=torch.Generator().manual_seed(1))
    picture = np.zeros((32, 64, 3), np.uint8)
    clip = make_clip(mode="vace", index=1, frames=13, intervals=8, overlap=OVERLAP, overlap_noise=100)
    request = ClipRequest(clip, 64, 32, None, None, (picture,) * OVERLAP)
    shown, beginning = hold(request, latents, noise, torch.Generator().manual_seed(2))
    assert beginning is not None
    assert torch.equal(beginning.latents, latents[:, :, :2])
    assert torch.equal(shown[:, :, 2:], latents[:, :, 2:])
    away = shown[:, :, :2] - 0.9 * latents[:, :, :2]
    assert 0.09 < float(away.std()) < 0.11
    assert torch.equal(beginning.noised_in(noise * 0, torch.tensor(1.0))[:, :, :2], noise[:, :, :2])
    assert torch.equal(beginning.noised_in(noise, torch.tensor(0.0))[:, :, :2], latents[:, :, :2])
    assert torch.equal(beginning.clean_in(noise)[:, :, 2:], noise[:, :, 2:])
    silent = replace(request, clip=replace(clip, overlap_noise=0))
    assert torch.equal(hold(silent, latents, noise, torch.Generator())[0], latents)


@pytest.mark.parametrize(("kind", "mode"), [("vace", "vace"), ("plain", "i2v"), ("clip", "i2v")])
def test_the_finished_clip_begins_with_what_was_given(
    kind: str, mode: Mode, tiny_lineup: Any, request_for: Any
) -> None:
    """As the VAE decodes it, whatever the untrained transformer makes of it."""
    lineup = tiny_lineup(kind)
    request = request_for(mode)
    frames = list(_finished(WanBackend(lineup, Options(device="cpu")), request).frames())
    other = list(_finished(WanBackend(lineup, Options(device="cpu")), request_for(mode, seed=77)).frames())
    assert np.array_equal(np.stack(frames[:OVERLAP]), np.stack(other[:OVERLAP]))
    assert not np.array_equal(np.stack(frames[OVERLAP:]), np.stack(other[OVERLAP:]))


def test_each_of_the_known_frames_and_their_noise_matter(tiny_lineup: Any, request_for: Any) -> None:
    backend = WanBackend(tiny_lineup("vace"), Options(device="cpu"))
    request = request_for("vace")
    latents = [
        _finished(backend, each).state().arrays["latents"].tobytes()
        for each in (
            request,
            replace(request, clip=replace(request.clip, overlap_noise=0)),
            replace(request, beginning=(request.beginning[1], *request.beginning[1:])),
            request,
        )
    ]
    assert latents[0] == latents[3]
    assert len(set(latents)) == 3


def test_a_control_may_begin_with_frames_that_are_held(tiny_lineup: Any, request_for: Any) -> None:
    """The same clip whether its beginning comes as pictures or as a control, when nothing else is known."""
    backend = WanBackend(tiny_lineup("vace"), Options(device="cpu"))
    request = request_for("vace")
    nothing, everything = (np.full((HEIGHT, WIDTH), value, np.uint8) for value in (FILL, KEEP))
    later = [ControlFrame(request.beginning[0], nothing)] * (13 - OVERLAP)
    frames = [*(ControlFrame(picture, everything) for picture in request.beginning), *later]
    controlled = replace(request, beginning=(), control=Control.of(frames))
    made = [_finished(backend, each).state().arrays["latents"] for each in (request, controlled)]
    assert np.array_equal(*made)
    unknown = replace(controlled, control=Control.of([later[0], *frames[1:]]))
    with pytest.raises(RenderError, match="frame 0 of the control of clip 1 is not wholly known"):
        backend.start(unknown)


def test_a_control_goes_with_vace_alone(tiny_lineup: Any, request_for: Any) -> None:
    pipeline = _pipeline(tiny_lineup("vace"), "vace")
    control = Control.of([])
    with pytest.raises(RenderError, match="goes with vace and no other picture"):
        check_request(pipeline, replace(request_for("vace"), control=control))
    bare = replace(request_for("vace", overlap=4), beginning=(), control=control)
    with pytest.raises(RenderError, match="repeats 4 frames, which fill no whole latent frames"):
        check_request(pipeline, bare)


def test_frames_that_do_not_fit_are_refused(tiny_lineup: Any, request_for: Any) -> None:
    pipeline = _pipeline(tiny_lineup("vace"), "vace")
    request = request_for("vace")
    for wrong, words in (
        (replace(request, beginning=request.beginning[:4]), "got 4 first frames, not 5"),
        (replace(request, start_image=request.beginning[0]), "first frames"),
        (replace(request, beginning=(), end_image=request.beginning[0]), "wrong pictures"),
        (replace(request, beginning=tuple(picture[:16] for picture in request.beginning)), "a picture of shape"),
    ):
        with pytest.raises(RenderError, match=words):
            check_request(pipeline, wrong)
