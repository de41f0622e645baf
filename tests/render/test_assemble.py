"""Clips become film frames at the plan's times, in order, whatever order they become ready in."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from wan_engine.errors import Cancelled, MediaError
from wan_engine.media.probe import every_frame
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.assemble import Assembler, Draft, check_output, clip_frames, encode_options
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import stopped
from wan_engine.settings import Settings
from wan_engine.storage.places import FilmPlaces, film_folder


@pytest.fixture
def places(settings: Settings, tmp_path: Path) -> FilmPlaces:
    return film_folder(replace(settings, output_dir=str(tmp_path / "out")), datetime(2024, 1, 2, 3, 4, 5))


def write_clip(store: ClipStore, clip: Clip) -> None:
    """Frames whose grey is ten times their number."""
    with store.writer(clip) as writer:
        for number in range(clip.intervals + 1):
            writer.write(np.full((48, 64, 3), 10 * number, np.uint8))


def test_a_clip_shows_its_model_frames_at_the_plans_times(plan: Plan, store: ClipStore) -> None:
    clip = replace(plan.clips[0], start=0, end=8, arrives=8, intervals=4)
    blended = ClipStore(store.folder, replace(plan, resample="blend"))
    write_clip(blended, clip)
    assert [int(frame[0, 0, 0]) for frame in clip_frames(blended, clip)] == [0, 5, 10, 15, 20, 25, 30, 35]
    nearest = ClipStore(store.folder, replace(plan, resample="nearest"))
    assert [int(frame[0, 0, 0]) for frame in clip_frames(nearest, clip)] == [0, 10, 10, 20, 20, 30, 30, 40]


def test_a_film_that_ends_on_a_picture_shows_the_last_model_frame(plan: Plan, store: ClipStore) -> None:
    clip = replace(plan.clips[0], start=0, end=9, arrives=8, intervals=8)
    write_clip(store, clip)
    assert [int(frame[0, 0, 0]) for frame in clip_frames(store, clip)] == list(range(0, 90, 10))


def test_frames_come_in_film_order_whatever_clip_is_ready_first(
    plan: Plan, store: ClipStore, settings: Settings, places: FilmPlaces
) -> None:
    for clip in plan.clips:
        write_clip(store, clip)
    with Assembler(replace(settings, codec="png"), places, store, lambda: False) as assembler:
        for clip in reversed(plan.clips):
            assembler.clip_ready(clip)
    assert [places.frame(number).is_file() for number in range(21)] == [True] * 20 + [False]


def test_an_error_of_the_encoder_ends_the_film(
    plan: Plan, store: ClipStore, settings: Settings, places: FilmPlaces
) -> None:
    """The second clip is cut short, so it has no frame for the last times."""

    def assemble() -> None:
        with Assembler(settings, places, store, lambda: False) as assembler:
            for clip in plan.clips:
                assembler.clip_ready(clip)

    write_clip(store, plan.clips[0])
    write_clip(store, replace(plan.clips[1], intervals=2))
    with pytest.raises(MediaError, match="ends after 3 frames"):
        assemble()
    assert not list(places.folder.glob("*.mp4"))
    assert not [thread for thread in threading.enumerate() if thread.name == "assemble"]


def test_a_stop_during_the_last_encoding_keeps_the_beginning(
    plan: Plan, store: ClipStore, settings: Settings, places: FilmPlaces
) -> None:
    shown = iter([False] * 5)

    def assemble() -> None:
        with Assembler(settings, places, store, lambda: next(shown, True)) as assembler:
            for clip in reversed(plan.clips):
                assembler.clip_ready(clip)

    for clip in plan.clips:
        write_clip(store, clip)
    with pytest.raises(Cancelled):
        assemble()
    assert places.partial.is_file()
    assert not places.film.exists()


@pytest.mark.parametrize("stops", [True, False])
def test_a_draft_is_kept_only_of_a_film_that_is_stopped(
    plan: Plan, store: ClipStore, settings: Settings, places: FilmPlaces, stops: bool
) -> None:
    write_clip(store, plan.clips[0])

    def draft() -> None:
        with Draft(settings, places, store, lambda: stops) as made:
            made.clip_ready(plan.clips[0])
            if stops:
                raise stopped()
            write_clip(store, plan.clips[1])
            made.clip_ready(plan.clips[1])

    with pytest.raises(Cancelled) if stops else nullcontext():
        draft()
    assert [path.name for path in places.folder.iterdir()] == ([places.partial.name] if stops else [])
    assert not stops or len(list(every_frame(places.partial))) == plan.clips[0].end


def test_options_are_those_of_the_settings(plan: Plan, settings: Settings) -> None:
    options = encode_options(plan, replace(settings, codec="hevc", crf=20), Path("a.mp4"))
    assert options is not None
    assert (options.fps, options.frames, options.codec, options.crf) == (Fraction(16), 20, "hevc", 20)
    assert encode_options(plan, replace(settings, codec="gif"), Path("a.mp4")) is None


def test_a_soundtrack_that_is_none_is_found_before_rendering(plan: Plan, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "sound.mp3").write_text("no sound", encoding="utf-8")
    with pytest.raises(MediaError, match=r"sound\.mp3"):
        check_output(plan, replace(settings, soundtrack=str(tmp_path / "sound.mp3")))
