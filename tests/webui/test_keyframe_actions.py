"""The page Keyframes: its form's defaults, what it orders, where problems lie, and its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wan_engine.schedule.keyframes import draft_from_keyframes
from wan_engine.schedule.project import project_from_text
from wan_engine.schedule.yaml_documents import read_yaml
from wan_engine.settings import SETTINGS
from wan_engine.settings_check import settings_from_mapping
from wan_webui.client import EngineClient
from wan_webui.film_form import MAKING
from wan_webui.form_table import collect, fields_of, restore
from wan_webui.keyframe_actions import KeyframeActions, config_text
from wan_webui.keyframe_form import KEYFRAMES, NOT_SHOWN
from wan_webui.pages import KEYFRAMES_PAGE
from webui.letters import letter, note

TABLES = KEYFRAMES_PAGE.tables
# A backtick begins math, which most texts are not.
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="`"), max_size=20)


@pytest.fixture
def actions(client: EngineClient) -> KeyframeActions:
    return KeyframeActions(client, TABLES)


@pytest.fixture
def pictures(home: Path) -> list[str]:
    """Two pictures that the engine may use."""
    made = [home / "uploads" / f"{name}.png" for name in ("first", "second")]
    for path in made:
        Image.new("RGB", (64, 64)).save(path)
    return [str(path) for path in made]


def project(pictures: list[str], **more: Any) -> dict[str, Any]:
    pairs = [[path, number * 1.5] for number, path in enumerate(pictures)]
    return {"keyframes": pairs, "prompt": "a fox", "sub_prompts": [""] * (len(pairs) - 1), **more}


def test_every_setting_stands_on_the_page_or_has_a_reason() -> None:
    shown = [spec.name for spec in fields_of(TABLES)]
    assert len(set(shown)) == len(shown)
    assert set(shown) | set(NOT_SHOWN) == set(SETTINGS)
    assert not set(shown) & set(NOT_SHOWN)


def test_the_form_begins_as_keyframe_projects_do() -> None:
    form = collect(TABLES, restore(TABLES, {}))
    empty = draft_from_keyframes({"keyframes": [["a.png", 0], ["b.png", 1]], "prompt": "x"}).values
    for name in ("fps", "smoothing"):
        assert form[name] == empty[name]


def test_the_film_is_planned_as_the_page_says(actions: KeyframeActions, pictures: list[str]) -> None:
    values = restore(TABLES, {"fps": "8", "seed": 5})
    answer, shown = actions.plan(note(project=project(pictures)), *values)
    told = letter(answer)
    assert "13 frames at 8 fps" in shown
    assert (told["own"]["fps"], told["shared"]["seed"]) == ("8", 5)
    assert set(told["own"]) == {spec.name for spec in KEYFRAMES.fields}
    assert set(told["shared"]) == {spec.name for spec in MAKING.fields}


def test_with_one_picture_there_is_a_hint(actions: KeyframeActions, pictures: list[str]) -> None:
    shown = actions.plan(note(project=project(pictures[:1])), *restore(TABLES, {}))[1]
    assert "Add two pictures" in shown
    assert "wan-problems" not in shown


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_picture_that_is_not_there_is_told_at_its_keyframe(
    actions: KeyframeActions, pictures: list[str], wrong: int
) -> None:
    pictures[wrong] += ".gone.png"
    asked = note(project=project(pictures), action="render")
    for shown in (actions.plan(asked, *restore(TABLES, {}))[1], actions.send(asked, *restore(TABLES, {}))[1]):
        assert f'data-field="keyframes" data-key="{wrong + 1}"' in shown


def test_a_film_is_queued_with_its_prompt_as_title(actions: KeyframeActions, pictures: list[str]) -> None:
    answer, problems = actions.send(note(project=project(pictures), action="render"), *restore(TABLES, {}))
    assert problems == ""
    assert letter(answer)["jobs"][0]["title"] == "a fox"


def test_a_file_is_taken_in_with_pictures_as_it_names_them(actions: KeyframeActions) -> None:
    text = "keyframes:\n  - [one.png, 0.5]\n  - [two.png, 2]\nprompt: a fox\nsub_prompts: [it runs]\nfps: 12\n"
    answer, problems, *values = actions.fill(note(project=text, name="config.yaml"), *restore(TABLES, {}))
    assert problems == ""
    parts = {"keyframes": [["one.png", 0.5], ["two.png", 2.0]], "prompt": "a fox", "sub_prompts": ["it runs"]}
    assert letter(answer)["parts"] == parts
    assert collect(TABLES, values)["fps"] == "12"


def test_a_file_of_another_kind_is_refused(actions: KeyframeActions) -> None:
    answer, problems, *values = actions.fill(note(project="0: a fox", name="a.txt"), *restore(TABLES, {}))
    assert letter(answer)["failed"]
    assert "no keyframe project" in problems
    assert values == restore(TABLES, {})


@given(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.sampled_from(["none", "optical_flow"]), st.integers(1, 640))
def test_the_written_file_reads_back(prompt: str, subs: list[str], smoothing: str, width: int) -> None:
    settings = {**collect(TABLES, restore(TABLES, {})), "smoothing": smoothing, "width": str(width), "height": "64"}
    settings |= {"steps": "12", "seed": 7, "crf": 20}
    pairs = [[f"{number} ä: #.png", number * 1.5] for number in range(len(subs) + 1)]
    words = {"keyframes": pairs, "prompt": prompt.strip() or "x", "sub_prompts": subs}
    text = config_text(words, settings, TABLES)
    assert read_yaml(text).value["keyframes"] == pairs
    read = project_from_text(text, "config.yaml")
    assert dict(read.parts) == {
        **words,
        "prompt": words["prompt"],
        "sub_prompts": [sub.strip() for sub in subs],
    }
    wanted = settings_from_mapping({**settings, "prompts": {}})
    for name in ("smoothing", "width", "height", "steps", "seed", "crf", "fps"):
        assert getattr(read.settings, name) == getattr(wanted, name)
