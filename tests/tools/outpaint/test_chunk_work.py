"""Chunks: what the model is shown of each, how one goes on from the other, and how its colours are brought back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.plan.model import Plan
from wan_engine.render.chain import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.canvas import Grey
from wan_engine.tools.outpaint.chunk_work import ChunkWork, Painting
from wan_engine.tools.outpaint.geometry import lay_out
from wan_engine.tools.outpaint.planning import FilmLength, Planner
from wan_engine.tools.outpaint.regions import region_of

CARD = ModelCard("vace", FAMILIES["wan2.1-vace-1.3b"], frozenset({"vace"}))
NO_JOB = cast(ChainJob, None)


@dataclass(frozen=True)
class Remembered:
    pictures: np.ndarray

    def frames(self, start: int, end: int) -> Iterator[np.ndarray]:
        yield from self.pictures[start:end]


@pytest.fixture
def film() -> np.ndarray:
    """Twenty frames of soft colours."""
    numbers = np.random.default_rng(5)
    small = numbers.integers(40, 200, (20, 6, 8, 3), dtype=np.uint8)
    return small.repeat(8, axis=1).repeat(8, axis=2)


def planned(frames: int, **changes: Any) -> tuple[Planner, Plan]:
    given = {"overlap": 5, **changes}
    settings = OutpaintSettings(right=50, gradient_width=4, prompt="a film", seed=2, **given)
    layout = lay_out((64, 48), settings, 16)
    planner = Planner(settings, FilmLength(frames, Fraction(24)), layout, Lineup({"vace": CARD}), {})
    return planner, planner.plan([(0, frames)], {})


def work_on(film: np.ndarray, folder: Path, **changes: Any) -> tuple[ChunkWork, Plan, ClipStore]:
    planner, plan = planned(len(film), batch_size=13, **changes)
    store = ClipStore(folder, plan)
    painting = Painting(Remembered(film), planner.layout, region_of(planner.layout, ""), Grey(planner.layout))
    return ChunkWork(painting, store, planner.settings.match_colour), plan, store


def write(store: ClipStore, plan: Plan, number: int, film: np.ndarray, shift: int) -> None:
    """A chunk as a model may make it: the film, mirrored beside it, all of it lighter."""
    clip = plan.clips[number]
    first = clip.end - clip.frames if number else 0
    with store.writer(clip) as writer:
        for frame in film[first : first + clip.frames]:
            whole = np.concatenate([frame, frame[:, :31:-1]], axis=1)
            writer.write(np.clip(whole.astype(int) + shift, 0, 255).astype(np.uint8))


def test_a_plan_of_chunks_is_sound() -> None:
    from wan_engine.plan.laws import broken_law
    from wan_engine.plan.model import plan_from_json, plan_to_json

    for changes in ({}, {"overlap": 1}, {"overlap": 9, "batch_size": 17}, {"batch_size": 5, "overlap": 1}):
        plan = planned(150, **changes)[1]
        assert broken_law(plan) == "", changes
        assert plan_from_json(plan_to_json(plan)) == plan
    assert planned(150)[1].clips[0].frames == 81


def test_the_model_is_shown_the_film_and_the_end_of_the_chunk_before(film: np.ndarray, tmp_path: Path) -> None:
    work, plan, store = work_on(film, tmp_path, match_colour=False)
    first, second = plan.clips
    assert (first.start, first.end, second.start, second.end, second.frames) == (0, 13, 13, 20, 13)
    control = work.request(NO_JOB, first, None).control
    assert control is not None
    frames = list(control.checked(first, 96, 48))
    assert all(np.array_equal(frame.picture[:, :60], film[n, :, :60]) for n, frame in enumerate(frames))
    assert all((frame.mask[:, 62:] == 255).all() and (frame.mask[:, :62] == 0).all() for frame in frames)
    write(store, plan, 0, film, shift=0)
    control = work.request(NO_JOB, second, first).control
    assert control is not None
    frames = list(control.checked(second, 96, 48))
    assert second.overlap == 5
    known = 13 - (20 - 13)
    for number, frame in enumerate(frames):
        assert np.array_equal(frame.picture[:, :60], film[7 + number, :, :60])
        assert bool(frame.mask.any()) == (number >= known)
    # What the chunk before has made beside the film is known now.
    assert np.array_equal(frames[0].picture[:, 64:], film[7, :, :31:-1])


def test_a_short_scene_shows_its_last_frame_on(film: np.ndarray, tmp_path: Path) -> None:
    work, plan, _ = work_on(film[:3], tmp_path)
    control = work.request(NO_JOB, plan.clips[0], None).control
    assert control is not None
    frames = list(control.checked(plan.clips[0], 96, 48))
    assert len(frames) == 5
    assert np.array_equal(frames[4].picture, frames[2].picture)


@pytest.mark.parametrize("match", [False, True])
def test_a_change_of_colour_is_taken_back(match: bool, film: np.ndarray, tmp_path: Path) -> None:
    work, plan, store = work_on(film, tmp_path, match_colour=match)
    off = []
    before = None
    for number, clip in enumerate(plan.clips):
        work.request(NO_JOB, clip, before)
        write(store, plan, number, film, shift=6)
        work.finished(clip)
        before = clip
        for made in work.film_frames(clip):
            assert np.array_equal(made.picture[:, :60], film[made.number, :, :60])
            off.append((made.picture[:, 64:].astype(int) - film[made.number, :, :31:-1]).mean())
    assert len(off) == 20
    assert np.abs(off).max() < 1.2 if match else min(off) > 5.5


def test_a_chunk_begins_as_the_one_before_ended(film: np.ndarray, tmp_path: Path) -> None:
    """What a chunk makes otherwise comes in little by little, and is whole where the next one goes on from it."""
    still = np.repeat(film[:1], 37, axis=0)
    work, plan, store = work_on(still, tmp_path, match_colour=False)
    assert [(clip.start, clip.end) for clip in plan.clips] == [(0, 13), (13, 21), (21, 29), (29, 37)]
    for number, clip in enumerate(plan.clips):
        work.request(NO_JOB, clip, plan.clips[number - 1] if number else None)
        write(store, plan, number, still, shift=8 * (number % 2))
        work.finished(clip)
    beside = still[0, :, :31:-1].astype(int)
    off = [(made.picture[:, 72:] - beside[:, 8:]).mean() for clip in plan.clips for made in work.film_frames(clip)]
    assert off[:13] == pytest.approx([0] * 13, abs=0.1)
    # The last frame, from which the next chunk goes on, is as it was made.
    assert off[13:21] == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8], abs=0.6)
    assert off[21:29] == pytest.approx([7, 6, 5, 4, 3, 2, 1, 0], abs=0.6)
    assert off[29:] == pytest.approx([8 * number / 9 for number in range(1, 9)], abs=0.6)
