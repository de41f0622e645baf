"""Storyboards as project files: read with every problem told, written so that they read back to themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.project import (
    Project,
    load_project,
    project_from_text,
    project_from_values,
    project_to_text,
)
from wan_engine.schedule.storyboard import (
    Character,
    Segment,
    Storyboard,
    StoryKeyframe,
    keyframe_prompt,
    segment_prompt,
)
from wan_engine.schedule.storyboard_file import (
    in_folder,
    relative_to,
    storyboard_from_values,
    storyboard_to_text,
    storyboard_to_values,
)
from wan_engine.schedule.yaml_documents import read_yaml, yaml_text
from wan_engine.settings_pictures import PictureSettings

HARBOUR = """
kind: storyboard
style: oil painting.
characters: {Mara: a woman in yellow}
continuity: calm sea
opening: Mara on the quay
segments:
- {prompt: Mara walks to the boat., seconds: 2, camera: slow pan left, last: Mara in the boat}
- {prompt: the boat leaves, seconds: 1.5s, last: {description: empty quay, image: far.png, locked: true, seed: 4}}
film: {fps: 16, seed: 5, crf: 20}
"""

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
told = words.map(str.strip).filter(bool)
keyframes = st.builds(
    StoryKeyframe,
    description=words,
    image=words.map(str.strip),
    locked=st.booleans(),
    seed=st.none() | st.integers(0, 2**32 - 1),
    strength=st.none() | st.floats(0, 1),
    mask=words.map(str.strip),
)
segments = st.builds(
    Segment, prompt=told, seconds=st.integers(1, 240).map(lambda n: n / 4), camera=words, last=keyframes
)
storyboards = st.builds(
    Storyboard,
    segments=st.lists(segments, min_size=1, max_size=3).map(tuple),
    opening=keyframes,
    title=words,
    text=words,
    style=words,
    characters=st.lists(st.builds(Character, told, words), max_size=2).map(tuple),
    continuity=words,
    pictures=st.builds(PictureSettings, seed=st.integers(-1, 9), strength=st.floats(0, 1), negative=words),
    film=st.fixed_dictionaries({}, optional={"negative_prompt": words, "crf": st.integers(0, 51)}),
)


def harbour() -> Project:
    return project_from_text(HARBOUR, "harbour.yaml")


@settings(max_examples=40)
@given(storyboards)
def test_values_and_text_read_back_to_the_same_storyboard(story: Storyboard) -> None:
    assert storyboard_from_values(storyboard_to_values(story)) == story
    assert storyboard_from_values(read_yaml(storyboard_to_text(story)).value) == story


@given(st.dictionaries(words, words | st.integers() | st.booleans() | st.none() | st.lists(words), max_size=4))
def test_yaml_that_is_written_reads_back(values: dict[str, Any]) -> None:
    assert read_yaml(yaml_text(values)).value == values


def test_each_segment_is_told_all_that_must_stay_the_same() -> None:
    story = harbour().storyboard
    assert story is not None
    assert segment_prompt(story, 0) == (
        "Mara walks to the boat, slow pan left, Mara is a woman in yellow, oil painting, calm sea"
    )
    assert segment_prompt(story, 1) == "the boat leaves, oil painting, calm sea"
    assert keyframe_prompt(story, 1) == "Mara in the boat, Mara is a woman in yellow, oil painting, calm sea"
    assert story.starts() == (0, 2, 3.5)
    assert story.missing() == (0, 1)


def test_a_storyboard_is_a_film_between_its_keyframes(tmp_path: Path) -> None:
    file = tmp_path / "story.yaml"
    file.write_text(HARBOUR, encoding="utf-8")
    project = load_project(file)
    film = project.settings
    assert list(film.prompts) == ["0", "32"]
    assert (film.max_frames, film.seed, film.crf, film.batch_name) == (57, 5, 20, "storyboard")
    assert film.guided_images == {}
    assert film.end_image == str(tmp_path / "far.png")
    assert any("Keyframes 0 and 1 have no picture yet" in note for note in project.notes)
    story = project.storyboard
    assert story is not None
    for number in (0, 1):
        story = story.with_keyframe(number, replace(story.keyframes[number], image=str(tmp_path / f"{number}.png")))
    whole = project_from_text(storyboard_to_text(story), "whole.yaml")
    assert whole.settings.guided_images == {"0": str(tmp_path / "0.png"), "32": str(tmp_path / "1.png")}
    assert not any("no picture" in note for note in whole.notes)
    # The same as a prompt schedule.
    assert project_from_text(project_to_text(whole.settings), "film.json").settings == whole.settings


def test_pictures_can_be_moved_with_the_file(tmp_path: Path) -> None:
    story = harbour().storyboard
    assert story is not None
    there = in_folder(story, tmp_path)
    assert there.keyframes[2].image == str(tmp_path / "far.png")
    assert relative_to(there, tmp_path) == story
    assert relative_to(there, tmp_path / "elsewhere") == there


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ({"styl": "x"}, "styl", 'Did you mean "style"?'),
        ({"version": 2}, "version", "cannot be read"),
        ({"segments": []}, "segments", "there are no segments"),
        ({"segments": [{"seconds": 2}]}, "segments.prompt 1", "there is no prompt"),
        ({"segments": [{"prompt": "x"}]}, "segments.seconds 1", "there is no duration"),
        ({"segments": [{"prompt": "x", "seconds": 0.1}]}, "segments.seconds 1", "Give 0.25 to 60 seconds"),
        ({"segments": [{"prompt": "x", "seconds": True}]}, "segments.seconds 1", "is no duration"),
        ({"segments": [{"prompt": "x", "seconds": 2, "lats": "y"}]}, "segments.lats 1", 'Did you mean "last"?'),
        ({"segments": [{"prompt": "x", "seconds": 2, "first": "y"}]}, "segments.first 1", "the one before"),
        ({"opening": {"locked": "x"}}, "opening.locked", "neither true nor false"),
        ({"opening": {"seed": 1.5}}, "opening.seed", "whole number"),
        ({"opening": {"strength": 2}}, "opening.strength", "Give a number of 0 to 1"),
        ({"opening": []}, "opening", "no object"),
        ({"characters": [{"look": "x"}]}, "characters.name 1", "there is no name"),
        ({"characters": "Mara"}, "characters", "it is no list"),
        ({"pictures": {"provider": "nobody"}}, "pictures.provider", "not one of its values"),
        ({"film": {"widht": 5}}, "film.widht", 'Did you mean "width"?'),
        ({"film": {"loop": True}}, "film.loop", "does not belong"),
        ({"film": {"width": "wide"}}, "width", "is not a number"),
        ({"title": ["x"]}, "title", "it is no text"),
        ({"style": "a\x00b"}, "style", "NUL"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: dict[str, Any], place: str, message: str) -> None:
    values = {"kind": "storyboard", "segments": [{"prompt": "x", "seconds": 2}], **change}
    with pytest.raises(InputError) as caught:
        project_from_text(yaml_text(values), "story.yaml")
    (problem,) = caught.value.problems
    assert f"{problem.field} {problem.key}".strip() == place
    assert message in str(problem)
    assert problem.file == "story.yaml"


@pytest.mark.parametrize("path", ["~nobody-of-this-name/a.png", "http://example.org/a.png"])
def test_odd_paths_are_taken_as_they_are(tmp_path: Path, path: str) -> None:
    story = in_folder(Storyboard((Segment("x", 1),), StoryKeyframe(image=path)), tmp_path)
    assert story.opening.image.endswith(path)
    values = storyboard_to_values(story)
    assert project_from_values(values, tmp_path).settings.guided_images["0"].endswith(path)


def test_too_many_segments_are_refused() -> None:
    with pytest.raises(InputError, match="The most is 200"):
        storyboard_from_values({"segments": [{"prompt": "x", "seconds": 1}] * 201})
