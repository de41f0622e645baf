"""A run that was saved at any step goes on to the same pictures, bit for bit."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samples import make_clip
from wan_engine.backends import ClipRequest, ClipRun, RunState
from wan_engine.backends.wan import Options, WanBackend
from wan_engine.errors import RenderError
from wan_engine.families import Lineup, Mode

STEPS = 5


def make_request(mode: Mode, sampler: str) -> ClipRequest:
    short = {"end": 9, "frames": 9, "intervals": 8, "arrives": 8, "steps": STEPS, "guidance_scale_2": 2.0}
    clip = make_clip(mode=mode, sampler=sampler, **short)
    start, end = np.random.default_rng(1).integers(0, 256, (2, 32, 64, 3), dtype=np.uint8)
    return ClipRequest(clip, 64, 32, None if mode == "t2v" else start, end if mode == "flf2v" else None)


def finish(run: ClipRun) -> np.ndarray:
    while run.steps_done < STEPS:
        run.step()
    return np.stack(list(run.frames()))


def through_files(state: RunState) -> RunState:
    """The state as it comes back from JSON and an uncompressed archive of plain arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **state.arrays)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return RunState(state.step, arrays, json.loads(json.dumps(state.values, allow_nan=False)))


@pytest.mark.parametrize("sampler", ["unipc", "euler"])
@pytest.mark.parametrize(
    ("kind", "mode", "dtype"),
    [
        ("plain", "t2v", "float32"),
        ("plain", "flf2v", "float32"),
        ("plain", "i2v", "bfloat16"),
        ("two_experts", "i2v", "float32"),
        ("ti2v", "i2v", "float32"),
    ],
)
def test_every_step_can_be_gone_on_from(
    kind: str, mode: Mode, dtype: str, sampler: str, tiny_lineup: Callable[[str], Lineup]
) -> None:
    lineup, request = tiny_lineup(kind), make_request(mode, sampler)
    run = WanBackend(lineup, Options(device="cpu", dtype=dtype)).start(request)
    states = [through_files(run.state())]
    while run.steps_done < STEPS:
        run.step()
        states.append(through_files(run.state()))
    expected = np.stack(list(run.frames()))
    other = WanBackend(lineup, Options(device="cpu", dtype=dtype))
    for step, state in enumerate(states):
        assert state.step == step
        resumed = other.start(request, state)
        assert resumed.steps_done == step
        assert np.array_equal(finish(resumed), expected), f"resumed after step {step}"


@pytest.mark.parametrize("sampler", ["unipc", "euler"])
def test_a_state_is_a_copy(sampler: str, tiny_lineup: Callable[[str], Lineup]) -> None:
    run = WanBackend(tiny_lineup("plain"), Options(device="cpu")).start(make_request("t2v", sampler))
    run.step()
    run.step()
    state = run.state()
    before = {name: array.copy() for name, array in state.arrays.items()}
    values = json.dumps(state.values)
    run.step()
    assert json.dumps(state.values) == values
    assert all(np.array_equal(state.arrays[name], array) for name, array in before.items())
    again = WanBackend(tiny_lineup("plain"), Options(device="cpu")).start(make_request("t2v", sampler), state)
    again.step()
    assert all(np.array_equal(state.arrays[name], array) for name, array in before.items())


def test_state_holds_no_more_than_the_scheduler_needs(tiny_lineup: Callable[[str], Lineup]) -> None:
    """Latents, and for UniPC two predictions and the last sample: what is written to disk at each step."""
    for sampler, most in (("euler", 1), ("unipc", 4)):
        run = WanBackend(tiny_lineup("plain"), Options(device="cpu")).start(make_request("i2v", sampler))
        run.step()
        run.step()
        state = run.state()
        assert len(state.arrays) == most
        assert sum(array.nbytes for array in state.arrays.values()) == most * state.arrays["latents"].nbytes


def test_a_state_of_another_clip_is_refused(tiny_lineup: Callable[[str], Lineup]) -> None:
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    request = make_request("t2v", "unipc")
    run = backend.start(request)
    run.step()
    state = run.state()
    longer = replace(request, clip=replace(request.clip, frames=13))
    fewer = replace(request, clip=replace(request.clip, steps=1))
    damaged = [
        (replace(request, clip=replace(request.clip, sampler="euler")), state),
        (longer, state),
        (fewer, replace(state, step=2)),
        (request, replace(state, arrays={})),
        (request, replace(state, values={})),
        (request, replace(state, values={**state.values, "dtypes": {}})),
        (request, replace(state, values={**state.values, "timestep_list": None})),
    ]
    for wrong, wrong_state in damaged:
        with pytest.raises(RenderError, match="does not belong to this clip"):
            backend.start(wrong, wrong_state)


def test_previews_and_frames_change_nothing(tiny_lineup: Callable[[str], Lineup], tmp_path: Path) -> None:
    """A preview between steps, and another clip decoded and encoded between two frames."""
    backend = WanBackend(tiny_lineup("plain"), Options(device="cpu"))
    request = make_request("i2v", "unipc")
    expected = finish(backend.start(request))
    run = backend.start(request)
    assert run.preview().shape == (32, 64, 3)
    while run.steps_done < STEPS:
        run.step()
        assert run.preview().dtype == np.uint8
    taken = []
    for picture in run.frames():
        taken.append(picture)
        other = backend.start(make_request("flf2v", "euler"))
        other.preview()
    assert np.array_equal(np.stack(taken), expected)
