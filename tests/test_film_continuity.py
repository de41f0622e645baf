"""Films of the small model whose clips go on from one another: their seams in figures, and stopping and going on."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wan_engine.errors import Cancelled
from wan_engine.film import forget_clips, make_film, resume_film
from wan_engine.media.clipfile import read_clip
from wan_engine.media.pictures import write_png
from wan_engine.media.probe import every_frame
from wan_engine.plan.model import Clip, Plan, read_plan
from wan_engine.plan.seam import Join
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import Event
from wan_engine.render.result import FilmResult
from wan_engine.render.seam_look import film_frames
from wan_engine.seams.meter import measure
from wan_engine.settings import Settings
from wan_engine.storage.hashes import file_hash
from wan_engine.tiny import WEIGHTS
from wan_engine.tiny.judge import look, psnr

pytestmark = pytest.mark.slow

PROMPT = "a red circle moves right on a black background"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        prompts={"0": PROMPT},
        max_frames=32,
        width=128,
        height=64,
        clip_duration=1.0,
        seed=3,
        crf=0,
        pixel_format="yuv444p",
        preset="ultrafast",
        subtitles=False,
        keep_clips=True,
        output_dir=str(tmp_path / "out"),
    )


def quiet(event: Event) -> None:
    """A report that nobody reads."""


def make(settings: Settings, **changes: Any) -> tuple[FilmResult, Plan, list[np.ndarray]]:
    result = make_film(replace(settings, **changes), quiet, lambda: False)
    assert result.film is not None
    return result, read_plan(result.plan), list(every_frame(result.film))


def start_picture(path: Path, across: int = 20, down: int = 32) -> str:
    """A red circle on a black picture."""
    rows, columns = np.indices((64, 128)) + 0.5
    picture = np.full((64, 128, 3), 13, np.uint8)
    picture[(rows - down) ** 2 + (columns - across) ** 2 < 10**2] = (230, 38, 38)
    write_png(path, picture)
    return str(path)


def test_overlaps_join_clips_smoothly_and_carry_the_motion_on(settings: Settings) -> None:
    """The flow at a seam is that inside the clips, which the last frame alone does not give."""
    result, plan, frames = make(settings, continuity="overlap", overlap_frames=9)
    assert [(clip.mode, clip.overlap) for clip in plan.clips] == [("t2v", 0), ("vace", 9)]
    (seam,) = plan.seams
    assert seam.grade == "good", list(seam.faults())
    assert seam.difference <= 1.3
    _, alone, _ = make(settings, continuity="last_frame")
    assert abs(np.log(seam.motion)) < abs(np.log(alone.seams[0].motion))
    assert len(frames) == 32
    assert all(not np.array_equal(one, other) for one, other in pairwise(frames)), "no frame twice"
    seen = [look(frame) for frame in frames]
    assert all((sighting.colour, sighting.shape) == ("red", "circle") for sighting in seen)
    steps = [after.x - before.x for before, after in pairwise(seen)]
    assert all(-0.5 < step < 2.5 for step in steps), "it moves right all the time, about a pixel a frame"
    store = ClipStore(result.folder / "clips", plan)
    given = np.stack(store.last_frames(plan.clips[0], 9))
    kept = np.stack(list(read_clip(store.film_file(plan.clips[1])))[:9])
    assert psnr(kept, given) >= 30


def test_a_vace_model_alone_starts_from_a_picture_and_goes_on(settings: Settings, tmp_path: Path) -> None:
    picture = start_picture(tmp_path / "start.png")
    _, plan, frames = make(settings, model=str(WEIGHTS / "vace"), init_image=picture, overlap_frames=5)
    assert [(clip.mode, clip.continuity) for clip in plan.clips] == [("vace", "cut"), ("vace", "overlap")]
    seen = [look(frame) for frame in frames]
    assert all((sighting.colour, sighting.shape) == ("red", "circle") for sighting in seen)
    assert seen[0].x == pytest.approx(20, abs=2)
    assert seen[-1].x > 40
    assert plan.seams[0].difference <= 1.3


@pytest.mark.parametrize("model", ["", "vace"])
def test_a_film_that_loops_closes(settings: Settings, tmp_path: Path, model: str) -> None:
    """The shape goes away as the prompt says, and is back where it began by the film's end."""
    picture = start_picture(tmp_path / "start.png")
    model = model and str(WEIGHTS / model)
    result, plan, frames = make(settings, model=model, init_image=picture, loop=True)
    assert plan.clips[-1].loops
    assert len(frames) == 32
    seen = [look(frame) for frame in frames]
    assert all((sighting.colour, sighting.shape) == ("red", "circle") for sighting in seen)
    assert max(sighting.x for sighting in seen) > seen[0].x + 8
    assert abs(seen[-1].x - seen[0].x) < 4
    assert abs(seen[-1].y - seen[0].y) < 3
    # Frame 32 would be frame 0 again: the one before it is not the same already.
    assert not np.array_equal(frames[-1], frames[0])
    *_, seam = plan.seams
    assert (seam.frame, seam.kind) == (32, "loop")
    assert seam.difference < 2, seam
    # The film's own file is not quite what was measured: it is not RGB.
    store = ClipStore(result.folder / "clips", plan)
    shown = [frame for clip in plan.clips for frame in film_frames(store, clip, clip.start, clip.end)]
    _, again, _ = measure([*shown, *shown], dict.fromkeys((16, 32, 48), Join("overlap")))
    assert (again.difference, again.motion, again.turn) == (seam.difference, seam.motion, seam.turn)


def test_vace_mends_a_seam_to_what_is_usual_inside(settings: Settings) -> None:
    """The second clip begins three frames too late: the circle jumps there, until VACE makes the way between anew."""
    result, plan, _ = make(settings, continuity="last_frame", seam_repair="vace")
    assert not plan.seams[0].versions, "as it is rendered there is nothing to mend"
    begin_later(result, plan, plan.clips[1], 3)
    again = resume_film(result.folder, quiet, lambda: False)
    (seam,) = read_plan(again.plan).seams
    rendered, mended = seam.versions
    assert (rendered.made_by, mended.made_by, mended.kept) == ("render", "vace", True)
    assert rendered.difference > 1.5
    assert seam.difference <= 1.3
    assert seam.grade == "good", list(seam.faults())
    assert again.film is not None
    frames = list(every_frame(again.film))
    store = ClipStore(result.folder / "clips", plan)
    first = list(read_clip(store.film_file(plan.clips[0])))
    assert psnr(np.stack(frames[:12]), np.stack(first[:12])) > 40, "far from the seam as it was rendered"
    seen = [look(frame) for frame in frames]
    assert all((sighting.colour, sighting.shape) == ("red", "circle") for sighting in seen)


def begin_later(result: FilmResult, plan: Plan, clip: Clip, frames: int) -> None:
    """Take so many first frames from a finished clip, and have the film be gone on with from there."""
    store = ClipStore(result.folder / "clips", plan)
    file = store.film_file(clip)
    pictures = list(read_clip(file))
    record = next(path for path in file.parent.glob("*.json") if file_hash(file) in path.read_text(encoding="utf-8"))
    inputs = json.loads(record.read_text(encoding="utf-8"))["inputs"]
    with store.writer(clip) as writer:
        for picture in [*pictures[frames:], *pictures[-1:] * frames]:
            writer.write(picture)
    store.record(clip, inputs)
    forget_clips(result.folder, [])


def test_a_clip_passes_through_a_picture_on_its_frame(settings: Settings, tmp_path: Path) -> None:
    """It lies beside the way from the first to the last, and between two frames of the model's at the film's rate."""
    ends = {"init_image": start_picture(tmp_path / "start.png"), "end_image": start_picture(tmp_path / "end.png", 70)}
    aside = {"20": start_picture(tmp_path / "aside.png", 45, 40)}
    changes = {**ends, "guided_images": aside, "inner_images": "always", "fps": "20", "max_frames": 41}
    _, plan, frames = make(settings, clip_duration=0.0, **changes)
    (clip,) = plan.clips
    assert (clip.mode, clip.model_time(20)) == ("vace", 16)
    seen = [look(frame) for frame in frames]
    assert (seen[20].x, seen[20].y) == (pytest.approx(45, abs=2), pytest.approx(40, abs=2))
    assert seen[0].y == pytest.approx(32, abs=1.5)
    assert seen[40].y == pytest.approx(32, abs=1.5)


def test_an_overlap_film_goes_on_where_it_was_stopped(settings: Settings) -> None:
    wanted = replace(settings, continuity="overlap", overlap_frames=5, max_frames=24, clip_duration=0.5, steps="3")
    _, _, whole = make(wanted)
    events: list[Event] = []

    def stopped() -> bool:
        return any((event.kind, event.clip, event.step) == ("step", 1, 2) for event in events)

    with pytest.raises(Cancelled):
        make_film(wanted, events.append, stopped)
    again: list[Event] = []
    folder = Path(next(event.message for event in events if event.kind == "started"))
    resumed = resume_film(folder, again.append, lambda: False)
    started = [(event.clip, event.step) for event in again if event.kind == "clip_started"]
    assert started[0] == (1, 2), "clip 0 was kept, clip 1 went on at its step"
    assert resumed.film is not None
    assert all(np.array_equal(one, other) for one, other in zip(every_frame(resumed.film), whole, strict=True))
