"""Bad seams: clips rendered again with other seeds, frames made anew or faded; the best is kept, also after a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wan_engine.backends import ClipRequest, ClipRun, RunState
from wan_engine.backends.control import KEEP
from wan_engine.backends.dry_run import DryRun, DryRunBackend
from wan_engine.errors import Cancelled
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.media.clipfile import read_clip
from wan_engine.media.picture import Picture
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.chain import render_chain
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import Event
from wan_engine.render.mend import mend_seams
from wan_engine.render.progress import Progress
from wan_engine.render.seam_look import film_frames, seam_at
from wan_engine.render.seam_work import SeamWork
from wan_engine.render.takes import take_seed
from wan_engine.settings import Settings

WIDTH, HEIGHT, LENGTH = 96, 48, 16


def bar(place: float, level: int = 0) -> Picture:
    """A soft bar at this place of a ribbed background, all of it brighter by `level`."""
    column = np.arange(WIDTH)
    light = 60 + 8 * np.sin(column / 3) + 140 * np.exp(-(((column - place) / 5) ** 2))
    row = np.clip(np.rint(light + level), 0, 255).astype(np.uint8)
    return np.repeat(np.repeat(row[None, :, None], HEIGHT, 0), 3, 2)


class Bars(DryRunBackend):
    """Draws a bar that goes a pixel a frame, and jumps where a clip begins, by its seed.

    jumps: pixels by seed.  What a control gives is kept, and what it does not is drawn as between its given frames.
    """

    def __init__(self, jumps: Callable[[int], float]) -> None:
        self.jumps = jumps
        self.asked: list[ClipRequest] = []

    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        self.asked.append(request)
        run = DryRun(request, state.step if state else 0)
        run.frames = lambda: self._frames(request)  # type: ignore[method-assign]
        return run

    def _frames(self, request: ClipRequest) -> Iterator[Picture]:
        clip = request.clip
        if request.control is None:
            for number in range(clip.frames):
                jump = self.jumps(clip.seed) if clip.index else 0.0
                yield bar(10 + clip.start + number + jump)
            return
        given = [(at, frame) for at, frame in enumerate(request.control.read()) if frame.mask.flat[0] == KEEP]
        places = [float(np.argmax(frame.picture[0, :, 0])) for _, frame in given]
        for number in range(clip.frames):
            yield bar(float(np.interp(number, [at for at, _ in given], places)))


def planned(tmp_path: Path, clips: int = 2, **changes: Any) -> Plan:
    settings = Settings(
        prompts={"0": "a bar"},
        max_frames=clips * LENGTH,
        width=WIDTH,
        height=HEIGHT,
        clip_duration=1.0,
        steps="2",
        seed=1,
        continuity="last_frame",
        output_dir=str(tmp_path),
    )
    family = FAMILIES["wan-tiny"]
    card = ModelCard("tiny", family, family.modes)
    return build_plan(replace(settings, **changes), Lineup({"t2v": card, "i2v": card, "flf2v": card, "vace": card}))


def job_of(
    plan: Plan, tmp_path: Path, backend: Bars, events: list[Event], stop: Callable[[], bool] | None = None
) -> ChainJob:
    store = ClipStore(tmp_path / "clips", plan)
    work = SeamWork(plan.seam_retries)
    return ChainJob(plan, backend, store, Progress(plan, events.append), stop or (lambda: False), seams=work)


def run(job: ChainJob) -> None:
    for clips in job.plan.chains():
        render_chain(job, clips)
    mend_seams(job)


def notes(events: list[Event]) -> list[str]:
    return [event.message for event in events if event.kind == "note"]


def film(job: ChainJob) -> list[Picture]:
    return [frame for clip in job.plan.clips for frame in film_frames(job.store, clip, clip.start, clip.end)]


def good_from(plan: Plan, take: int) -> Callable[[int], float]:
    """Takes before this one of the last clip jump, the later ones less than the first."""
    seeds = [take_seed(plan.clips[-1], each) for each in range(9)]
    return lambda seed: 0.0 if seeds.index(seed) >= take else 12.0 - seeds.index(seed)


def test_a_clip_with_a_bad_seam_is_rendered_again_and_the_best_take_is_kept(tmp_path: Path) -> None:
    plan = planned(tmp_path, seam_retries=5)
    backend, events = Bars(good_from(plan, 2)), []  # type: ignore[var-annotated]
    job = job_of(plan, tmp_path, backend, events)
    run(job)
    assert [request.clip.seed for request in backend.asked[1:]] == [take_seed(plan.clips[1], take) for take in range(3)]
    assert job.seams.left == 3
    versions = job.seams.versions[LENGTH]
    assert [(version.made_by, version.kept) for version in versions] == [("render", False)] * 2 + [("render", True)]
    assert versions[2].grade == "good"
    assert versions[0].grade != "good"
    assert [int(np.argmax(frame[0, :, 0])) for frame in film(job)] == list(range(10, 42))
    assert sum("rendered again with seed" in note for note in notes(events)) == 2
    assert notes(events)[-1].endswith("take 3 of 3 is kept")
    assert max(event.steps_done for event in events) == max(event.steps_total for event in events) == 8


def test_the_budget_of_the_film_is_kept_to(tmp_path: Path) -> None:
    """No take is good: the one that is the least bad is kept, and each clip has three at most beside its first."""
    plan = planned(tmp_path, clips=3, seam_retries=4)
    backend = Bars(lambda seed: 6.0 if seed == take_seed(plan.clips[1], 1) else 14.0)
    job = job_of(plan, tmp_path, backend, [])
    run(job)
    assert [request.clip.index for request in backend.asked] == [0, 1, 1, 1, 1, 2, 2]
    assert job.seams.left == 0
    assert [version.kept for version in job.seams.versions[LENGTH]] == [False, True, False, False]
    assert job.store.chosen[1] == 1
    # The next clip goes on from the take that is kept.
    start = backend.asked[-1].start_image
    assert start is not None
    assert np.array_equal(start, list(read_clip(job.store.film_file(plan.clips[1])))[-1])


def test_a_wanted_cut_is_left_alone(tmp_path: Path) -> None:
    plan = planned(tmp_path, continuity="cut", seam_retries=5, seam_repair="cross_fade")
    backend, events = Bars(lambda _seed: 30.0), []  # type: ignore[var-annotated]
    job = job_of(plan, tmp_path, backend, events)
    run(job)
    assert len(backend.asked) == 2
    assert (job.seams.versions, job.store.patches, notes(events)) == ({}, {}, [])


@pytest.mark.parametrize("moment", [3, 5, 6, 7])
def test_a_stop_among_the_takes_loses_nothing(tmp_path: Path, moment: int) -> None:
    plan = planned(tmp_path, seam_retries=5)
    whole = job_of(plan, tmp_path / "whole", Bars(good_from(plan, 2)), [])
    whole.store.folder.parent.mkdir()
    run(whole)
    events: list[Event] = []
    with pytest.raises(Cancelled):
        run(job_of(plan, tmp_path, Bars(good_from(plan, 2)), events,
                   lambda: sum(event.kind == "step" for event in events) >= moment))  # fmt: skip
    again: list[Event] = []
    job = job_of(plan, tmp_path, Bars(good_from(plan, 2)), again)
    run(job)
    assert sum(event.kind == "step" for event in again) == 8 - moment, "no step is done twice"
    assert job.seams.versions == whole.seams.versions
    assert all(np.array_equal(one, other) for one, other in zip(film(job), film(whole), strict=True))


def mended(tmp_path: Path, jump: float, **changes: Any) -> tuple[ChainJob, list[Event]]:
    events: list[Event] = []
    job = job_of(planned(tmp_path, **changes), tmp_path, Bars(lambda _seed: jump), events)
    run(job)
    return job, events


def test_vace_makes_the_frames_around_a_seam_anew_and_leaves_all_others(tmp_path: Path) -> None:
    job, events = mended(tmp_path, 2.0, seam_repair="vace")
    own = [bar(10 + number + 2 * (number >= LENGTH)) for number in range(2 * LENGTH)]
    made = film(job)
    changed = [number for number, frame in enumerate(made) if not np.array_equal(frame, own[number])]
    assert set(changed) <= set(range(LENGTH - 4, LENGTH + 4))
    assert len(changed) > 4
    render, vace = job.seams.versions[LENGTH]
    assert (render.made_by, vace.made_by, vace.kept) == ("render", "vace", True)
    assert render.difference > 1.3 > vace.difference
    seam = seam_at(job.store, LENGTH)
    assert seam is not None
    assert (seam.difference, seam.grade) == (vace.difference, "good")
    assert notes(events)[-1].startswith("Seam at frame 16 mended by VACE: ")
    request = job.backend.asked[-1]  # type: ignore[attr-defined]
    assert [frame.mask.flat[0] == KEEP for frame in request.control.read()] == [True] * 9 + [False] * 8 + [True] * 12
    clip_file = list(read_clip(job.store.film_file(job.plan.clips[0])))
    assert all(np.array_equal(frame, own[number]) for number, frame in enumerate(clip_file[:LENGTH]))


@pytest.mark.parametrize("moment", [1, 2])
def test_a_stop_while_mending_loses_no_step(tmp_path: Path, moment: int) -> None:
    events: list[Event] = []
    plan = planned(tmp_path, seam_repair="vace")

    def stopped() -> bool:
        return sum(event.kind == "step" for event in events) >= 4 + moment

    with pytest.raises(Cancelled):
        run(job_of(plan, tmp_path, Bars(lambda _seed: 5.0), events, stopped))
    again: list[Event] = []
    job = job_of(plan, tmp_path, Bars(lambda _seed: 5.0), again)
    run(job)
    assert sum(event.kind == "step" for event in again) == 2 - moment
    assert job.seams.versions[LENGTH][1].kept


@pytest.mark.parametrize(("continuity", "places"), [("last_frame", range(16, 24)), ("overlap", range(8, 16))])
def test_a_cross_fade_goes_from_one_clip_to_the_other(tmp_path: Path, continuity: str, places: range) -> None:
    """With an overlap over the frames that both clips have, else over the first ones of the new clip."""
    plan = planned(tmp_path, seam_repair="cross_fade", continuity=continuity)
    events: list[Event] = []

    class Brighter(Bars):
        def _frames(self, request: ClipRequest) -> Iterator[Picture]:
            begin = request.clip.start - request.clip.first
            yield from (bar(10 + begin + number, 6 * request.clip.index) for number in range(request.clip.frames))

    job = job_of(plan, tmp_path, Brighter(lambda _seed: 0.0), events)
    run(job)
    levels = [float(frame.mean()) for frame in film(job)]
    before, behind = levels[: places.start], levels[places.stop :]
    assert max(before) + 5 < min(behind)
    assert all(max(before) - 1 <= levels[number] <= min(behind) + 1 for number in places)
    assert "mended by a cross-fade" in notes(events)[-1]
    assert job.seams.versions[LENGTH][1].seed is None


def test_a_new_scene_and_a_repair_that_makes_it_worse_are_told(tmp_path: Path) -> None:
    _, events = mended(tmp_path / "a", 5.0, seam_repair="none")
    assert notes(events) == []
    plan = planned(tmp_path, seam_repair="cross_fade")

    class Scenes(Bars):
        def _frames(self, request: ClipRequest) -> Iterator[Picture]:
            yield from (bar(10 + number, 60 * request.clip.index) for number in range(request.clip.frames))

    again: list[Event] = []
    job = job_of(plan, tmp_path, Scenes(lambda _seed: 0.0), again)
    run(job)
    assert notes(again) == ["Seam at frame 16 is left as it is: another scene begins there"]
    assert job.store.patches == {}


def test_a_picture_on_its_own_frame_stays_when_its_seam_is_mended(tmp_path: Path) -> None:
    """Where the seam is a keyframe VACE is given it, with the frames of its latent frame."""
    for name in ("first", "second", "third"):
        (tmp_path / f"{name}.png").write_bytes(b"not read here")
    plan = planned(
        tmp_path,
        seam_repair="vace",
        continuity="auto",
        init_image=str(tmp_path / "first.png"),
        guided_images={str(LENGTH): str(tmp_path / "second.png")},
        end_image=str(tmp_path / "third.png"),
    )
    assert plan.joins()[LENGTH].kind == "keyframe"
    backend = Bars(lambda _seed: 5.0)
    job = replace(job_of(plan, tmp_path, backend, []), request_for=lambda _job, clip, _before: _plain(clip))
    run(job)
    masks = [frame.mask.flat[0] == KEEP for frame in backend.asked[-1].control.read()]  # type: ignore[union-attr]
    assert masks == [True] * 9 + [False] * 4 + [True] * 16
    made = next(film_frames(job.store, plan.clips[1], LENGTH, LENGTH + 1))
    assert np.array_equal(made, bar(15 + LENGTH))


def _plain(clip: Clip) -> ClipRequest:
    return ClipRequest(clip, WIDTH, HEIGHT)
