"""Clips on disk: what counts as finished, states that go on, and what is noticed when files were damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wan_engine.backends import ClipRequest, RunState
from wan_engine.backends.control import FILL, Control, ControlFrame
from wan_engine.render.clip_store import ClipStore


@pytest.fixture
def request_(store: ClipStore) -> ClipRequest:
    return ClipRequest(clip=store.plan.clips[0], width=64, height=48)


def finished(store: ClipStore, request: ClipRequest) -> str:
    """Write a clip of grey frames that get lighter, and record it."""
    inputs = store.inputs_hash(request)
    with store.writer(request.clip) as writer:
        for number in range(request.clip.intervals + 1):
            writer.write(np.full((48, 64, 3), number, np.uint8))
    store.record(request.clip, inputs)
    return inputs


def test_a_recorded_clip_is_finished_for_its_inputs_alone(store: ClipStore, request_: ClipRequest) -> None:
    assert not store.is_finished(request_.clip, store.inputs_hash(request_))
    inputs = finished(store, request_)
    assert store.is_finished(request_.clip, inputs)
    assert not store.is_finished(request_.clip, "other inputs")


def test_the_hand_over_is_the_frame_after_the_last_interval(store: ClipStore, request_: ClipRequest) -> None:
    finished(store, request_)
    assert int(store.hand_over(request_.clip)[0, 0, 0]) == request_.clip.intervals


@pytest.mark.parametrize(
    "change",
    [{"prompt": "other"}, {"negative": "x"}, {"seed": 9}, {"steps": 4}, {"guidance_scale": 2.0}, {"sampler": "euler"}],
)
def test_whatever_changes_the_pictures_changes_the_hash(
    store: ClipStore, request_: ClipRequest, change: dict[str, object]
) -> None:
    other = replace(request_, clip=replace(request_.clip, **change))  # type: ignore[arg-type]
    assert store.inputs_hash(other) != store.inputs_hash(request_)


def test_the_pictures_a_clip_starts_from_are_part_of_its_hash(store: ClipStore, request_: ClipRequest) -> None:
    grey, white = np.full((48, 64, 3), 128, np.uint8), np.full((48, 64, 3), 255, np.uint8)
    hashes = {store.inputs_hash(replace(request_, start_image=picture)) for picture in (None, grey, white)}
    assert len(hashes) == 3


def test_what_is_known_of_its_frames_is_part_of_its_hash(store: ClipStore, request_: ClipRequest) -> None:
    """But not the pixels that the model is not shown."""
    grey, mask = np.full((48, 64, 3), 128, np.uint8), np.full((48, 64), FILL, np.uint8)
    mask[:, :32] = 0
    left, right = grey.copy(), grey.copy()
    left[:, :32], right[:, 32:] = 9, 9

    def hashed(picture: np.ndarray, canvas: bool = False) -> str:
        control = Control.of([ControlFrame(picture, mask)], canvas)
        return store.inputs_hash(replace(request_, control=control))

    assert hashed(grey) == hashed(right) != hashed(left)
    assert len({hashed(picture, canvas=True) for picture in (grey, left, right)} | {hashed(grey)}) == 4


def test_where_a_clip_and_its_pictures_lie_is_no_part_of_its_hash(store: ClipStore, request_: ClipRequest) -> None:
    moved = replace(request_.clip, start=40, end=48, arrives=48, chain=3, key="40", end_image="elsewhere/b.png")
    assert store.inputs_hash(replace(request_, clip=moved)) == store.inputs_hash(request_)


def test_another_model_or_precision_is_another_clip_and_another_machine_is_not(
    store: ClipStore, request_: ClipRequest
) -> None:
    def resolved(**values: object) -> str:
        return ClipStore(store.folder, replace(store.plan, resolved=values)).inputs_hash(request_)

    model = {"t2v": {"name": "a", "sha256": "1"}}
    base = resolved(dtype="float32", models=model, device="cpu")
    assert base != resolved(dtype="bfloat16", models=model, device="cpu")
    assert base != resolved(dtype="float32", models={"t2v": {"name": "a", "sha256": "2"}}, device="cpu")
    assert base == resolved(dtype="float32", models=model, device="cuda:0", versions={"torch": "3"})


def test_a_state_comes_back_as_it_was(store: ClipStore, request_: ClipRequest) -> None:
    arrays = {
        "latents": np.random.default_rng(0).normal(size=(1, 16, 3, 8, 8)).astype(np.float32),
        "half": np.arange(6, dtype=np.uint16).reshape(2, 3),
    }
    state = RunState(step=2, arrays=arrays, values={"order": 2, "names": ["a", None]})
    store.save_state(request_.clip, "inputs", state)
    loaded = store.load_state(request_.clip, "inputs")
    assert loaded is not None
    assert (loaded.step, loaded.values) == (2, state.values)
    assert all(np.array_equal(loaded.arrays[name], array) for name, array in arrays.items())
    assert store.load_state(request_.clip, "other inputs") is None


def test_a_state_is_forgotten_when_the_clip_is_finished(store: ClipStore, request_: ClipRequest) -> None:
    store.save_state(request_.clip, "inputs", RunState(step=1))
    finished(store, request_)
    assert not store.state_file(request_.clip).exists()


@pytest.mark.parametrize("kept", [0, 5, 60])
def test_a_cut_state_is_noticed_and_the_clip_starts_anew(
    store: ClipStore, request_: ClipRequest, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    store.save_state(request_.clip, "inputs", RunState(step=1, arrays={"a": np.zeros(100)}))
    path = store.state_file(request_.clip)
    path.write_bytes(path.read_bytes()[:kept])
    assert store.load_state(request_.clip, "inputs") is None
    assert "starts anew" in caplog.text


@pytest.mark.parametrize("record", ["", "[]", '{"inputs": 3}', "\x00"])
def test_a_damaged_record_is_no_finished_clip(store: ClipStore, request_: ClipRequest, record: str) -> None:
    inputs = finished(store, request_)
    (store.folder / "clip_0000.json").write_text(record, encoding="utf-8")
    assert not store.is_finished(request_.clip, inputs)


def test_a_clip_gives_its_last_frames_and_its_first(store: ClipStore, request_: ClipRequest) -> None:
    finished(store, request_)
    frames = store.last_frames(request_.clip, 5)
    last = request_.clip.last
    assert [int(frame[0, 0, 0]) for frame in frames] == list(range(last - 4, last + 1))
    assert np.array_equal(frames[-1], store.hand_over(request_.clip))
    assert int(store.first_frame(request_.clip)[0, 0, 0]) == 0


def test_the_frames_a_clip_repeats_are_part_of_its_hash(store: ClipStore, request_: ClipRequest) -> None:
    grey, white = np.full((48, 64, 3), 128, np.uint8), np.full((48, 64, 3), 255, np.uint8)
    louder = replace(request_.clip, overlap_noise=40)
    asked = [
        request_,
        replace(request_, beginning=(grey,) * 5),
        replace(request_, beginning=(grey,) * 4 + (white,)),
        replace(request_, beginning=(grey,) * 5, clip=louder),
    ]
    assert len({store.inputs_hash(each) for each in asked}) == 4
    assert store.inputs_hash(replace(request_, clip=louder)) == store.inputs_hash(request_), "it repeats nothing"
