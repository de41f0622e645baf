"""Chains whose clips drift in colour: held to what they go on from, pulled back to where they began."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wan_engine.backends import ClipRequest, ClipRun, RunState
from wan_engine.backends.dry_run import DryRun, DryRunBackend
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.media.clipfile import read_clip
from wan_engine.media.picture import Picture
from wan_engine.media.pictures import write_png
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan
from wan_engine.plan.seam import Seam
from wan_engine.render.chain import render_chain
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import Event
from wan_engine.render.progress import Progress
from wan_engine.render.seam_look import film_frames
from wan_engine.seams.meter import measure
from wan_engine.settings import Settings

SIZE, LENGTH, CLIPS = 48, 8, 12


class Fading(DryRunBackend):
    """A soft ribbed picture that goes on a pixel a frame and turns redder and flatter within each clip.

    The first frame of a clip is the one it starts from: what lies at the seam tells nothing of the drift.
    at_once: all of a clip is redder than what it starts from, its first frame too.
    """

    def __init__(self, drift: float, at_once: bool = False) -> None:
        self.drift = drift
        self.at_once = at_once

    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        run = DryRun(request, state.step if state else 0)
        run.frames = lambda: self._frames(request)  # type: ignore[method-assign]
        return run

    def _frames(self, request: ClipRequest) -> Iterator[Picture]:
        clip = request.clip
        start = ribs(clip.start) if request.start_image is None else request.start_image
        level = start.reshape(-1, 3).mean(axis=0) - ribs(clip.start).reshape(-1, 3).mean(axis=0)
        for number in range(clip.frames):
            share = 1.0 if self.at_once else number / clip.intervals
            moved = ribs(clip.start + number) + level + share * self.drift * np.array([1.0, 0.3, -0.2])
            yield np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def ribs(place: float) -> Picture:
    column = (np.arange(SIZE) + place)[None, :, None]
    light = 120 + 50 * np.sin(column / 4 + np.arange(3)) + np.zeros((SIZE, 1, 1))
    return np.rint(light).astype(np.uint8)


def chain_of(
    tmp_path: Path, drift: float = 1.6, backend: Fading | None = None, **changes: object
) -> tuple[ChainJob, list[str]]:
    settings = Settings(
        prompts={"0": "ribs"}, max_frames=CLIPS * LENGTH, width=SIZE, height=SIZE, clip_duration=0.5, steps="1", seed=1
    )
    family = FAMILIES["wan-tiny"]
    card = ModelCard("tiny", family, family.modes)
    models = Lineup({"t2v": card, "i2v": card, "flf2v": card, "vace": card})
    plan = build_plan(replace(settings, **changes), models)  # type: ignore[arg-type]
    notes: list[str] = []

    def report(event: Event) -> None:
        if event.kind == "note":
            notes.append(event.message)

    store = ClipStore(tmp_path / "clips", plan)
    job = ChainJob(plan, backend or Fading(drift), store, Progress(plan, report), lambda: False)
    for clips in plan.chains():
        render_chain(job, clips)
    return job, notes


def seams_of(job: ChainJob) -> tuple[Seam, ...]:
    plan: Plan = job.plan
    frames = (film_frames(job.store, clip, clip.start, clip.end) for clip in plan.clips)
    return measure((frame for clip in frames for frame in clip), plan.joins())


def test_pinning_halves_a_drift_that_seams_do_not_show(tmp_path: Path) -> None:
    plain, told = chain_of(tmp_path / "plain")
    pinned, notes = chain_of(tmp_path / "pinned", pin_colour=0.6)
    before, after = seams_of(plain), seams_of(pinned)
    assert told == []
    assert len(notes) > 6
    assert before[-1].drift is not None
    assert after[-1].drift is not None
    assert before[-1].drift > 3
    assert after[-1].drift < before[-1].drift / 2
    assert all(seam.grade == "good" for seam in after), "nothing is seen at the seams"
    assert motion_of(after) == pytest.approx(motion_of(before), rel=0.05), "it moves as before"


def motion_of(seams: tuple[Seam, ...]) -> float:
    """The geometric mean over the seams."""
    return math.prod(seam.motion for seam in seams) ** (1 / len(seams))


def test_holding_halves_a_drift_that_each_clip_brings_in(tmp_path: Path) -> None:
    backend = Fading(1.6, at_once=True)
    plain, _ = chain_of(tmp_path / "plain", backend=backend, hold_colour=False)
    held, notes = chain_of(tmp_path / "held", backend=backend, hold_colour=True)
    before, after = seams_of(plain), seams_of(held)
    assert before[-1].drift is not None
    assert after[-1].drift is not None
    assert before[-1].drift > 3
    assert after[-1].drift < before[-1].drift / 2
    assert len(notes) == CLIPS - 1
    assert motion_of(after) == pytest.approx(motion_of(before), rel=0.05), "it moves as before"


def test_what_does_not_drift_stays_as_it_is(tmp_path: Path) -> None:
    plain, _ = chain_of(tmp_path / "plain", drift=0.0)
    pinned, _ = chain_of(tmp_path / "pinned", drift=0.0, pin_colour=0.3)
    for one, other in zip(plain.plan.clips, pinned.plan.clips, strict=True):
        pairs = zip(read_clip(plain.store.film_file(one)), read_clip(pinned.store.film_file(other)), strict=True)
        assert max(int(np.abs(a.astype(int) - b).max()) for a, b in pairs) <= 2


def test_a_new_prompt_begins_anew(tmp_path: Path) -> None:
    job, _ = chain_of(tmp_path, prompts={"0": "ribs", "48": "other ribs"}, pin_colour=0.6)
    assert [clip.pin_colour for clip in job.plan.clips] == [0.0, *[0.6] * 5, 0.0, *[0.6] * 5]


def test_a_clip_that_arrives_at_a_picture_is_held_to_it_at_its_end(tmp_path: Path) -> None:
    """Its beginning has the colours of the picture it starts from, its end those of the other."""
    for name, place in (("first", 0), ("last", 16)):
        write_png(tmp_path / f"{name}.png", ribs(place))
    pictures = {"init_image": str(tmp_path / "first.png"), "end_image": str(tmp_path / "last.png")}
    job, notes = chain_of(tmp_path, drift=5.0, max_frames=17, clip_duration=0.0, hold_colour=True, **pictures)
    assert [clip.mode for clip in job.plan.clips] == ["flf2v"]
    frames = list(read_clip(job.store.film_file(job.plan.clips[0])))
    assert np.abs(frames[-1].astype(int) - ribs(16)).max() <= 2
    (note,) = notes
    assert note.startswith("Colour of clip 1 held: from gain 1.000 1.000 1.000, shift +0.0 +0.0 +0.0 levels to gain ")
    assert "shift -5.0 " in note
    assert not list(job.store.folder.glob("*raw*"))


class Brighter(Fading):
    """All of its frames are four levels brighter than they should be."""

    def _frames(self, request: ClipRequest) -> Iterator[Picture]:
        yield from (frame + 4 for frame in super()._frames(request))


def test_a_clip_that_passes_through_pictures_is_held_to_what_it_starts_from(tmp_path: Path) -> None:
    for name, place in (("first", 0), ("inside", 8)):
        write_png(tmp_path / f"{name}.png", ribs(place))
    pictures = {"guided_images": {"0": str(tmp_path / "first.png"), "8": str(tmp_path / "inside.png")}}
    changes = {"max_frames": 16, "clip_duration": 0.0, "hold_colour": True, "inner_images": "always", **pictures}
    job, notes = chain_of(tmp_path, backend=Brighter(0.0), **changes)
    assert [len(clip.pictures) for clip in job.plan.clips] == [1]
    frames = list(read_clip(job.store.film_file(job.plan.clips[0])))
    assert np.abs(frames[0].astype(int) - ribs(0)).max() <= 1
    assert "shift -4.0 -4.0 -4.0 levels" in notes[0]
