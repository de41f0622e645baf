"""The page Storyboard: two tables with the same names stay apart, and its plan is the storyboard's."""

from __future__ import annotations

from typing import Any

import pytest

from wan_engine.settings import SETTINGS
from wan_engine.settings_pictures import PICTURE_SETTINGS
from wan_webui.client import EngineClient
from wan_webui.form_table import fields_of, restore
from wan_webui.keyframe_form import NOT_SHOWN
from wan_webui.storyboard_actions import FILM_TABLES, TABLES, StoryboardActions
from wan_webui.storyboard_form import PICTURES
from webui.letters import letter, note

STORY: dict[str, Any] = {
    "opening": {"description": "a red circle"},
    "segments": [
        {"prompt": "a red circle <b>moves</b>", "seconds": 1.5, "last": {"description": "a red circle"}},
        {"prompt": "it stands still", "seconds": 2, "last": {"description": "a red circle"}},
    ],
}


@pytest.fixture
def actions(client: EngineClient) -> StoryboardActions:
    return StoryboardActions(client, TABLES)


def form(pictures: dict[str, Any] | None = None, film: dict[str, Any] | None = None) -> list[Any]:
    return [*restore((PICTURES,), pictures or {}), *restore(FILM_TABLES, film or {})]


def test_every_setting_of_pictures_and_film_stands_on_the_page() -> None:
    assert {spec.name for spec in PICTURES.fields} == set(PICTURE_SETTINGS)
    assert {spec.name for spec in fields_of(FILM_TABLES)} | set(NOT_SHOWN) == set(SETTINGS)


def test_a_new_form_says_nothing_in_the_file(actions: StoryboardActions) -> None:
    assert letter(actions.read(note(), *form())[0]) == {"number": 7, "pictures": {}, "film": {}}


def test_pictures_and_film_are_told_apart(actions: StoryboardActions) -> None:
    said = {"pictures": {"width": 512, "seed": 3}, "film": {"width": "128", "seed": 4, "fps": "8"}}
    answer, problems, *values = actions.fill(note(**said), *form())
    assert (letter(answer), problems) == ({"number": 7}, "")
    assert letter(actions.read(note(), *values)[0]) == {"number": 7, **said}


def test_the_plan_is_the_storyboards(actions: StoryboardActions) -> None:
    answer, shown = actions.plan(note(storyboard=STORY), *form(film={"fps": "8"}))
    assert "29 frames at 8 fps" in shown
    assert "moves&lt;/b&gt;" in shown
    assert "wan-notes" in shown
    assert letter(answer)["form"]["film"]["fps"] == "8"
    assert "Plan a storyboard" in actions.plan(note(storyboard={"segments": []}), *form())[1]


def test_what_is_wrong_has_its_place(actions: StoryboardActions) -> None:
    wrong = {**STORY, "segments": [{"prompt": "x", "seconds": 0}]}
    shown = actions.plan(note(storyboard=wrong), *form(film={"fps": "many"}))[1]
    assert 'data-field="segments.seconds" data-key="1"' in shown
