"""All that goes by frame, read from the settings at once."""

from __future__ import annotations

import pytest

from wan_engine.errors import InputError
from wan_engine.schedule.film_schedule import GuidedImage, read_schedule
from wan_engine.settings import Settings

PROMPTS = {"0": "a cat", "48": "a dog"}


def settings(**values: object) -> Settings:
    return Settings(**{"prompts": PROMPTS, "max_frames": 96, "seed": 100, **values})  # type: ignore[arg-type]


def test_values_by_frame() -> None:
    film = read_schedule(
        settings(steps="0: (4), 48: (8)", guidance_scale="max_f/19", sampler='0: ("UniPC"), 48: ("euler")')
    )
    assert film.timeline.frames == 96
    assert film.prompts.at(50).positive == "a dog"
    assert film.steps is not None
    assert film.guidance_scale is not None
    assert [film.steps.at(frame) for frame in (0, 24, 48)] == [4, 6, 8]
    assert film.guidance_scale.at(7) == 5
    assert [film.sampler.at(frame) for frame in (0, 48)] == ["unipc", "euler"]


def test_what_is_empty_is_left_to_the_family() -> None:
    film = read_schedule(settings(steps=" "))
    assert film.steps is None
    assert film.guidance_scale is None
    assert film.guidance_scale_2 is None


def test_one_seed_for_each_prompt() -> None:
    assert read_schedule(settings(seed_behavior="iter")).seeds == (100, 101)
    assert read_schedule(settings(seed_behavior="ladder")).seeds == (100, 102)


def test_the_seed_must_be_drawn_first() -> None:
    with pytest.raises(ValueError, match="drawn"):
        read_schedule(settings(seed=-1))


def test_images_lie_on_their_frames() -> None:
    images = {"max_f/2": "b.png", "1s": "a.png", "96": "late.png", "-1": "early.png", "16": "c.png"}
    film = read_schedule(settings(guided_images=images, end_image="end.png", fps="16"))
    assert film.images == (
        GuidedImage("16", 16, "c.png"),
        GuidedImage("max_f/2", 47, "b.png"),
        GuidedImage("", 95, "end.png"),
    )
    notes = "\n".join(film.notes)
    assert 'key "96" is frame 96, outside the film' in notes
    assert 'key "-1" is frame -1' in notes
    assert 'key "1s" and key "16" are both frame 16; the last is used' in notes


def test_notes_of_every_part_are_kept() -> None:
    film = read_schedule(
        settings(prompts={"0": "a", "500": "b"}, steps="0: (4), 500: (9)", sampler="0: (euler), 200: (unipc)")
    )
    assert [note.split(":")[0] for note in film.notes] == ["prompts", "sampler", "steps"]


def test_all_problems_of_all_fields_come_together() -> None:
    wrong = settings(
        prompts={"0": "a `1+`", "x": "b"},
        negative_prompt="`",
        steps="0: (2000)",
        guidance_scale="0: (foo)",
        guidance_scale_2="0: (1+",
        sampler="heun",
        seed_behavior="schedule",
        seed_schedule="0: (1/0)",
        guided_images={"y": "a.png"},
    )
    with pytest.raises(InputError) as caught:
        read_schedule(wrong, "film.json")
    found = caught.value.problems
    assert {problem.field for problem in found} == {
        *("prompts", "negative_prompt", "steps", "guidance_scale", "guidance_scale_2", "sampler", "seed_schedule"),
        "guided_images",
    }
    assert all(problem.file == "film.json" and problem.remedy for problem in found)
    assert all(problem.column is not None for problem in found)


def test_no_prompts_is_an_error() -> None:
    with pytest.raises(InputError, match="there are no prompts"):
        read_schedule(settings(prompts={}))


def test_values_are_checked_where_prompts_begin() -> None:
    """A ramp may leave the range between two keys only where no clip reads it."""
    with pytest.raises(InputError, match="out of range"):
        read_schedule(settings(guidance_scale="0: (5), 48: (101)"))
