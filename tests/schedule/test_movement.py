"""Deforum's camera movement in words: directions, adverbs, swaying, prompts of their own; the same for the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.project import Project, project_from_text


def film(movement: bool = True, **values: Any) -> Project:
    usual = {
        "W": 512,
        "H": 512,
        "fps": 16,
        "max_frames": 96,
        "animation_mode": "3D",
        "animation_prompts": {"0": "a fox"},
    }
    return project_from_text(json.dumps({**usual, **values}), "old.txt", movement=movement)


def words(**values: Any) -> str:
    return film(**values).settings.prompts["0"].removeprefix("a fox").removeprefix(", ")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"translation_z": "0: (3)"}, "the camera moves forward"),
        ({"translation_z": "0: (-0.5)"}, "the camera slowly moves backward"),
        ({"translation_x": "0: (10)"}, "the camera quickly moves right"),
        ({"rotation_3d_y": "0: (1)"}, "the camera pans right"),
        ({"rotation_3d_x": "0: (-0.2)"}, "the camera slowly tilts down"),
        ({"rotation_3d_z": "0: (3)"}, "the camera quickly rolls clockwise"),
        ({"translation_x": "0: (5*sin(t/3))"}, "the camera sways from side to side"),
        ({"translation_z": "0: (0.01)"}, ""),
        ({"translation_z": "0: (3)", "rotation_3d_y": "0: (-1)"}, "the camera moves forward and pans left"),
        ({"animation_mode": "2D", "zoom": "0: (1.004)"}, "the camera slowly zooms in"),
        ({"animation_mode": "2D", "zoom": "0: (0.98)"}, "the camera zooms out"),
        ({"animation_mode": "2D", "translation_x": "0: (8)"}, "the camera pans left"),
        ({"animation_mode": "2D", "angle": "0: (-1)"}, "the camera rolls counterclockwise"),
        # What the mode does not use moves nothing.
        ({"animation_mode": "2D", "rotation_3d_y": "0: (3)"}, ""),
        ({"translation_z": "0: (0), 95: (0)"}, ""),
    ],
)
def test_what_moves_is_said(values: dict[str, Any], told: str) -> None:
    assert words(**values) == told


def test_each_prompt_has_the_movement_of_its_own_frames() -> None:
    prompts = {"0": "a fox --neg blur", "48": "a cat."}
    project = film(animation_prompts=prompts, translation_z="0: (3), 47: (3), 48: (-3)")
    assert project.settings.prompts == {
        "0": "a fox, the camera moves forward --neg blur",
        "48": "a cat, the camera moves backward",
    }
    assert 'Camera movement became words, prompt "48": the camera moves backward' in project.notes


def test_without_being_asked_nothing_is_added() -> None:
    project = film(movement=False, translation_z="0: (3)")
    assert project.settings.prompts == {"0": "a fox"}
    assert project.notes[-1].endswith("camera movement (translation_z); `movement` turns it into words of the prompts")
    assert film().notes[-1] == "The file moves no camera: no words were added"


def test_what_became_words_is_not_called_left_out() -> None:
    project = film(translation_z="0: (3)", fov_schedule="0: (70), 10: (90)")
    assert [note for note in project.notes if "does not do" in note] == [
        "Wan does not do what this file also asks for: camera movement (fov_schedule)"
    ]
    assert not any("does not do" in note for note in film(translation_z="0: (3)").notes)


def test_a_schedule_that_cannot_be_read_is_told() -> None:
    with pytest.raises(InputError, match=r"old.txt, translation_z, key \"0\""):
        film(translation_z="0: (1/)")


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_the_other_way_has_the_other_words(one: float, other: float) -> None:
    told = words(translation_z=f"0: ({one:.4f})", rotation_3d_y=f"0: ({other:.4f})")
    turned = words(translation_z=f"0: ({-one:.4f})", rotation_3d_y=f"0: ({-other:.4f})")
    swap = {"forward": "backward", "backward": "forward", "left": "right", "right": "left"}
    assert turned == " ".join(swap.get(word, word) for word in told.split())
