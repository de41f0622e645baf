"""Keyframe films: each picture on its frame, segments made again or kept, progress told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wan_engine.errors import Cancelled, InputError
from wan_engine.film import make_film, resume_film
from wan_engine.keyframes import Again, GenerationConfig, MultiKeyframePipeline, keyframe_project, make_keyframe_film
from wan_engine.media.probe import every_frame, probe
from wan_engine.plan.model import read_plan
from wan_engine.render.clip_store import finished_clip
from wan_engine.render.events import Event
from wan_engine.settings import Settings
from wan_engine.tiny.judge import psnr

COLOURS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (220, 220, 40))


def quiet(event: Event) -> None:
    """A report that nobody reads."""


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Four pictures of one colour each."""
    paths = []
    for number, colour in enumerate(COLOURS):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (64, 64), colour).save(paths[-1])
    return paths


@pytest.fixture
def settings(pictures: list[Path], tmp_path: Path) -> Settings:
    """Three segments of half a second, drawn and not rendered."""
    values = {
        "keyframes": [[path.name, number / 2] for number, path in enumerate(pictures)],
        "prompt": "x",
        "fps": 16,
        "base_seed": 7,
        "output_dir": "out",
        "backend": "dry_run",
        "keep_clips": True,
    }
    return keyframe_project(values, tmp_path).settings


def stop_after_a_clip(settings: Settings) -> None:
    done: list[int] = []

    def report(event: Event) -> None:
        if event.kind == "clip_done":
            done.append(event.clip)

    with pytest.raises(Cancelled):
        make_keyframe_film(settings, report, lambda: len(done) == 1)


def clips_rendered(settings: Settings, again: Again) -> list[int]:
    """The clips that were really made, from 0."""
    made: list[int] = []

    def report(event: Event) -> None:
        if event.kind == "clip_done" and event.message != "kept from before":
            made.append(event.clip)

    make_keyframe_film(settings, report, lambda: False, again)
    return made


def test_segments_are_kept_or_made_again(settings: Settings) -> None:
    assert clips_rendered(settings, Again()) == [0, 1, 2]
    assert clips_rendered(settings, Again()) == []
    assert clips_rendered(settings, Again(segment=2)) == [1, 2]
    assert clips_rendered(settings, Again(segment=3)) == [2]
    assert clips_rendered(settings, Again(anew=True)) == [0, 1, 2]
    assert clips_rendered(replace(settings, seed=8), Again()) == [0, 1, 2]
    folders = sorted(Path(settings.output_dir, "keyframes").iterdir())
    assert len(folders) == 3, "the first film, the one made anew, and the one with another seed"


def test_a_picture_that_was_changed_makes_its_segments_again(settings: Settings, pictures: list[Path]) -> None:
    assert clips_rendered(settings, Again()) == [0, 1, 2]
    Image.new("RGB", (64, 64), (0, 0, 0)).save(pictures[3])
    assert clips_rendered(settings, Again()) == [2]
    assert clips_rendered(settings, Again()) == []
    Image.new("RGB", (64, 64), (0, 0, 0)).save(pictures[1])
    assert clips_rendered(settings, Again()) == [0, 1]
    pictures[1].unlink()
    (film,) = Path(settings.output_dir, "keyframes").iterdir()
    assert resume_film(film, quiet, lambda: False).is_there(), "a finished film does not need its pictures"


def test_a_new_film_has_the_segments_that_are_the_same(settings: Settings) -> None:
    assert clips_rendered(settings, Again()) == [0, 1, 2]
    prompts = {**settings.prompts, "8": "another"}
    assert clips_rendered(replace(settings, prompts=prompts), Again()) == [1]
    assert clips_rendered(replace(settings, prompts=prompts, steps="3"), Again()) == [0, 1, 2]
    newest, before, first = sorted(Path(settings.output_dir, "keyframes").iterdir(), reverse=True)
    assert (first / "clips" / "clip_0000.mkv").samefile(before / "clips" / "clip_0000.mkv")
    assert not (first / "clips" / "clip_0000.mkv").samefile(newest / "clips" / "clip_0000.mkv")
    assert clips_rendered(settings, Again()) == [], "the first film is whole still"
    assert resume_film(before, quiet, lambda: False).is_there()


def test_segments_that_differ_are_not_shown_before_they_are_made(settings: Settings) -> None:
    assert clips_rendered(settings, Again()) == [0, 1, 2]
    changed = replace(settings, prompts={**settings.prompts, "8": "another"})
    stop_after_a_clip(changed)
    newest = max(Path(settings.output_dir, "keyframes").iterdir())
    assert [finished_clip(newest / "clips", number) is not None for number in range(3)] == [True, False, False]
    assert clips_rendered(changed, Again(segment=3)) == [1, 2]
    assert [each.name for each in (newest / "clips").iterdir() if each.is_dir()] == []


def test_a_drawn_seed_finds_its_film_again(settings: Settings) -> None:
    wanted = replace(settings, seed=-1)
    assert clips_rendered(wanted, Again()) == [0, 1, 2]
    assert clips_rendered(wanted, Again()) == []


def test_a_film_that_was_stopped_is_gone_on_with(settings: Settings) -> None:
    stop_after_a_clip(settings)
    (progress,) = Path(settings.output_dir).rglob("progress.json")
    states = [each["finished"] for each in json.loads(progress.read_text(encoding="utf-8"))["segments"]]
    assert states == [True, False, False]
    assert clips_rendered(settings, Again()) == [1, 2]
    segments = json.loads(progress.read_text(encoding="utf-8"))["segments"]
    assert [(each["start_frame"], each["end_frame"], each["finished"]) for each in segments] == [
        (0, 8, True),
        (8, 16, True),
        (16, 25, True),
    ]
    assert all((progress.parent / file).is_file() for each in segments for file in each["clips"])


def test_a_segment_that_is_not_there_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match="no film with these settings was begun"):
        make_keyframe_film(settings, quiet, lambda: False, Again(segment=2))
    make_keyframe_film(settings, quiet, lambda: False)
    with pytest.raises(InputError, match="the film has 3 segments"):
        make_keyframe_film(settings, quiet, lambda: False, Again(segment=4))


def test_the_joins_are_keyframes(settings: Settings) -> None:
    made = make_film(settings, quiet, lambda: False)
    assert [(seam.frame, seam.kind) for seam in read_plan(made.plan).seams] == [(8, "keyframe"), (16, "keyframe")]


def test_every_field_of_the_config_is_a_name_of_projects(tmp_path: Path) -> None:
    config = GenerationConfig(
        ckpt_dir=tmp_path / "model",
        size="128*64",
        fps=16,
        sample_steps=4,
        sample_shift=3.0,
        sample_guide_scale=2.0,
        base_seed=3,
        offload_model=True,
        t5_cpu=True,
        num_gpus=2,
        gpu_ids=(1, 3),
        smoothing_method="optical_flow",
        output_dir=tmp_path / "films",
        keep_intermediates=False,
    )
    values = {**config.values(), "keyframes": [["a.png", 0], ["b.png", 1]], "prompt": "x"}
    made = keyframe_project(values, tmp_path).settings
    assert (made.model, made.output_dir) == (str(tmp_path / "model"), str(tmp_path / "films"))
    assert (made.width, made.height, made.fps, made.seed) == (128, 64, "16", 3)
    assert (made.steps, made.flow_shift, made.guidance_scale) == ("4", 3.0, "2.0")
    assert (made.memory_profile, made.devices) == ("minimal", "cuda:1, cuda:3")
    assert (made.smoothing, made.keep_clips) == ("optical_flow", False)


@pytest.mark.slow
def test_the_pictures_stand_on_their_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the small model: the film begins and ends on its pictures, and passes each at its time."""
    monkeypatch.chdir(tmp_path)
    pictures = []
    for number, left in enumerate((16, 32, 44)):
        pictures.append(np.full((64, 64, 3), 128, np.uint8))
        across, down = np.meshgrid(np.arange(64), np.arange(64))
        pictures[-1][np.hypot(across - left, down - 32) < 9] = (230, 30, 30)
        Image.fromarray(pictures[-1]).save(f"{number}.png")
    config = GenerationConfig(fps=16, base_seed=42, enable_smoothing=False, output_dir=tmp_path / "out")
    pairs = [(f"{number}.png", 1.5 * number) for number in range(3)]
    made = MultiKeyframePipeline(config).run(pairs, "a red circle moving right on a gray background", "done/film.mp4")
    film = tmp_path / "done" / "film.mp4"
    assert made.film is not None
    assert film.read_bytes() == made.film.read_bytes()
    assert probe(film).frames == 49
    frames = list(every_frame(film))
    assert all(psnr(frames[24 * number], picture) > 26 for number, picture in enumerate(pictures))
    assert any("under 32 motion gets stiff" in note for note in made.notes)
