"""One chain: clips in order, each from the end of the one before, kept as they are when they are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wan_engine.backends import ClipRequest, ClipRun, RunState
from wan_engine.backends.dry_run import DryRunBackend
from wan_engine.errors import Cancelled, MediaError, RenderError
from wan_engine.media.clipfile import read_clip
from wan_engine.media.picture import Picture
from wan_engine.plan.model import ClipPicture, Plan
from wan_engine.render.chain import render_chain
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import Event
from wan_engine.render.progress import Progress
from wan_engine.render.request import picture_notes


class Recording(DryRunBackend):
    """The dry run, with a note of what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[ClipRequest] = []

    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        self.requests.append(request)
        return super().start(request, state)


class Failing(DryRunBackend):
    """A dry run whose second clip cannot be started."""

    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        if request.clip.index == 1:
            raise RenderError("the device is gone")
        return super().start(request, state)


def job_for(
    plan: Plan, store: ClipStore, backend: DryRunBackend, events: list[Event], stop_after: int = 99
) -> ChainJob:
    def stopped() -> bool:
        return sum(event.kind == "step" for event in events) >= stop_after

    return ChainJob(plan, backend, store, Progress(plan, events.append), stopped)


def test_each_clip_starts_from_the_last_frame_of_the_one_before(plan: Plan, store: ClipStore) -> None:
    backend = Recording()
    render_chain(job_for(plan, store, backend, []), plan.clips)
    first, second = backend.requests
    assert first.start_image is None
    assert second.start_image is not None
    assert np.array_equal(second.start_image, store.hand_over(plan.clips[0]))


def test_clips_that_are_there_are_kept(plan: Plan, store: ClipStore) -> None:
    render_chain(job_for(plan, store, DryRunBackend(), []), plan.clips)
    backend, ready = Recording(), []
    job = replace(job_for(plan, store, backend, []), clip_ready=ready.append)
    render_chain(job, plan.clips)
    assert backend.requests == []
    assert ready == list(plan.clips)


def test_a_stopped_clip_goes_on_at_its_step(plan: Plan, store: ClipStore) -> None:
    events: list[Event] = []
    with pytest.raises(Cancelled):
        render_chain(job_for(plan, store, DryRunBackend(), events, stop_after=4), plan.clips)
    assert [event.kind for event in events].count("step") == 4
    again: list[Event] = []
    render_chain(job_for(plan, store, DryRunBackend(), again), plan.clips)
    assert [(event.clip, event.step) for event in again if event.kind == "clip_started"] == [(1, 1)]
    assert [event.step for event in again if event.kind == "step"] == [2, 3]


def test_a_failure_keeps_the_clips_before_it(plan: Plan, store: ClipStore) -> None:
    with pytest.raises(RenderError, match="device is gone"):
        render_chain(job_for(plan, store, Failing(), []), plan.clips)
    assert store.film_file(plan.clips[0]).is_file()
    assert not list(store.folder.glob("*.part*"))


def test_only_the_frames_of_the_film_and_the_hand_over_are_kept(plan: Plan, store: ClipStore) -> None:
    clip = replace(plan.clips[0], end=6, arrives=6, intervals=6, frames=9)
    render_chain(job_for(plan, store, DryRunBackend(), []), [clip])
    assert len(list(read_clip(store.film_file(clip)))) == 7


def test_given_pictures_are_fitted_and_checked_before_rendering(plan: Plan, tmp_path: Path) -> None:
    Image.new("RGB", (300, 100), "red").save(tmp_path / "wide.png")
    first = replace(plan.clips[0], mode="i2v", start_image=str(tmp_path / "wide.png"))
    assert picture_notes(replace(plan, clips=(first, *plan.clips[1:]))) == (
        "wide.png: 300x100 is fitted to 64x48: scaled to 144x48 and cropped evenly",
    )
    (tmp_path / "wide.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"wide\.png"):
        picture_notes(replace(plan, clips=(first, *plan.clips[1:])))


def test_a_clip_with_an_overlap_begins_with_the_last_frames_of_the_one_before(plan: Plan, store: ClipStore) -> None:
    first, second = plan.clips
    over = replace(second, mode="vace", continuity="overlap", overlap=5, frames=second.intervals + 5)
    backend = Recording()
    render_chain(job_for(plan, store, backend, []), [first, over])
    asked = backend.requests[1]
    assert asked.start_image is None
    before = list(read_clip(store.film_file(first)))
    assert np.array_equal(np.stack(asked.beginning), np.stack(before[first.last - 4 : first.last + 1]))
    # Its file begins with them too: film frame `start` is the fifth.
    assert len(list(read_clip(store.film_file(over)))) == over.last + 1 == over.intervals + 5
    times = [over.model_time(frame) for frame in range(over.start, over.end)]
    assert (times[0], over.model_time(over.arrives)) == (4, over.last)


def test_the_last_clip_of_a_film_that_loops_arrives_at_its_first_frame(plan: Plan, store: ClipStore) -> None:
    first, second = plan.clips
    loops = replace(second, mode="flf2v", loops=True, intervals=12, frames=13)
    backend = Recording()
    render_chain(job_for(replace(plan, clips=(first, loops)), store, backend, []), [first, loops])
    end = backend.requests[1].end_image
    assert end is not None
    assert np.array_equal(end, next(read_clip(store.film_file(first))))


class Drifting(DryRunBackend):
    """A dry run whose clips show their start picture, each a little brighter than the one before."""

    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        run = super().start(request, state)
        frames = run.frames
        start = request.start_image

        def brighter() -> Iterator[Picture]:
            for frame in frames():
                shown = np.full_like(frame, 100) if start is None else start
                yield np.clip(shown.astype(np.int16) + 3, 0, 255).astype(np.uint8)

        run.frames = brighter  # type: ignore[method-assign]
        return run


@pytest.mark.parametrize(("hold", "level"), [(False, 106), (True, 103)])
def test_a_change_of_colour_is_taken_back(plan: Plan, store: ClipStore, hold: bool, level: int) -> None:
    clips = (plan.clips[0], replace(plan.clips[1], hold_colour=hold))
    events: list[Event] = []
    render_chain(job_for(plan, store, Drifting(), events), clips)
    levels = {int(frame.mean()) for frame in read_clip(store.film_file(clips[1]))}
    assert levels == {level}
    notes = [event.message for event in events if event.kind == "note"]
    assert notes == (["Colour of clip 2 held: gain 1.000 1.000 1.000, shift -3.0 -3.0 -3.0 levels"] if hold else [])


def test_a_clip_passes_through_its_pictures(plan: Plan, store: ClipStore, tmp_path: Path) -> None:
    """VACE is given the frame it starts from and each picture, alone, on its model frame."""
    Image.new("RGB", (64, 48), "red").save(tmp_path / "red.png")
    first, second = plan.clips
    inside = replace(second, mode="vace", pictures=(ClipPicture(12, 4, str(tmp_path / "red.png")),))
    backend = Recording()
    render_chain(job_for(plan, store, backend, []), [first, inside])
    request = backend.requests[1]
    assert request.known == ()
    assert request.control is not None
    shown = list(request.control.read())
    assert [number for number, frame in enumerate(shown) if not frame.mask.any()] == [0, 4]
    assert np.array_equal(shown[0].picture, store.hand_over(first))
    assert tuple(shown[4].picture[0, 0]) == (255, 0, 0)
    assert len(shown) == inside.frames
