"""The tab is built for the installed gradio, its buttons keep the WebUIs' contract, its handlers never raise."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from wan_engine.families import FAMILIES
from wan_engine.service.records import STATES
from wan_engine.settings_check import settings_from_mapping
from wan_webui import services, standalone, tab
from wan_webui.answers import mailbox
from wan_webui.client import EngineClient
from wan_webui.film_actions import FilmActions
from wan_webui.film_form import MODEL_FIELDS
from wan_webui.form_table import collect, fields_of, restore
from wan_webui.hosts import Alone
from wan_webui.page_actions import model_finder, uploader, with_picture
from wan_webui.pages import FILM_PAGE, PAGES
from webui.letters import letter, note

PROMPTS = {"0": "a fox", "8": "the fox runs --neg <b>blur</b>"}
TABLES = FILM_PAGE.tables
FILM = {"prompts": PROMPTS, "max_frames": 16, "width": 64, "height": 64, "seed": 5, "backend": "dry_run"}


@pytest.fixture
def actions(client: EngineClient) -> FilmActions:
    return FilmActions(client, TABLES)


def form(**settings: Any) -> list[Any]:
    return restore(TABLES, {**FILM, **settings})


def with_text(**texts: str) -> list[Any]:
    """The form with texts as a user writes them."""
    names = [spec.name for spec in fields_of(TABLES)]
    values = form()
    for name, text in texts.items():
        values[names.index(name)] = text
    return values


def test_the_tab_keeps_the_contract_of_the_webuis(home: Path) -> None:
    services.use(Alone(home / "outputs", home=home))
    blocks = tab.build()
    ids = [block.elem_id for block in blocks.blocks.values() if getattr(block, "elem_id", None)]
    assert len(set(ids)) == len(ids)
    assert {"wan_generate", "wan_interrupt", "wan_skip", "wan_payload"} <= set(ids)
    assert {f"wan_{spec.name}" for spec in fields_of(TABLES)} <= set(ids)
    labels = [
        block.label
        for block in blocks.blocks.values()
        if getattr(block, "label", None) and not getattr(block, "do_not_save_to_config", False)
    ]
    assert len(set(labels)) == len(labels)


def test_a_tab_that_cannot_be_made_leaves_the_webuis_page_whole(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services.use(Alone(home / "outputs", home=home))
    monkeypatch.setattr(tab.Tab, "wire", lambda _self, _engine: 1 / 0)
    with gr.Blocks(analytics_enabled=False) as blocks:
        tab.LateTab().render()
        gr.Textbox(label="The WebUI's own")
    assert "The Wan tab could not be built" in caplog.text
    assert "The WebUI's own" in [getattr(block, "label", "") for block in blocks.blocks.values()]


def test_the_page_gets_help_and_values_of_every_family(home: Path) -> None:
    services.use(Alone(home / "outputs", home=home))
    blocks = tab.build()
    strip = next(block for block in blocks.blocks.values() if getattr(block, "elem_id", "") == "wan_engine_strip")
    found = re.search(r'data-page="([^"]*)"', strip.value)
    assert found
    page = json.loads(html.unescape(found[1]))
    assert set(page["help"]) == {
        table.elem_id(spec.name) for each in PAGES for table in each.tables for spec in table.fields
    }
    assert page["own"][FAMILIES["wan2.2-ti2v-5b"].label]["model_fps"] == "24"
    assert page["embedded"] in page["own"]
    assert page["folds"]["wan_seed_behavior"] == "wan_more_sampling"


def test_a_plan_is_drawn_with_the_number_of_its_question(actions: FilmActions) -> None:
    answer, shown = actions.plan(note(), *form())
    assert letter(answer) == {"number": 7}
    assert shown.startswith('<div data-number="7"><div class="wan-plan"')
    assert "&lt;b&gt;blur&lt;/b&gt;" in shown
    assert "<b>blur" not in shown


def test_without_prompts_there_is_a_hint_and_no_problem(actions: FilmActions) -> None:
    shown = actions.plan(note(), *form(prompts={}))[1]
    assert "wan-hint" in shown
    assert "wan-problems" not in shown


def test_all_problems_of_the_form_come_together(actions: FilmActions) -> None:
    answer, shown = actions.plan(note(), *with_text(prompts="0: a fox\nno key", steps="abc", max_frames="-3"))
    assert letter(answer)["failed"]
    assert "3 problems" in shown
    assert 'data-field="prompts" data-line="2"' in shown
    assert 'data-field="steps"' in shown
    assert 'data-field="max_frames"' in shown


def test_a_whole_project_file_among_the_prompts_is_told(actions: FilmActions) -> None:
    shown = actions.plan(note(), *with_text(prompts=json.dumps({"kind": "schedule", "version": 1, "max_frames": 9})))[1]
    assert "holds settings besides prompts" in shown


def test_a_film_is_queued_as_the_form_says(actions: FilmActions) -> None:
    answer, problems = actions.send(note(action="render", title="fox"), *form())
    (job,) = letter(answer)["jobs"]
    assert problems == ""
    assert (job["title"], job["state"]) == ("fox", STATES[0])


def test_a_film_that_cannot_be_made_is_not_queued(actions: FilmActions) -> None:
    answer, problems = actions.send(note(action="render"), *form(prompts={}))
    assert letter(answer) == {"number": 7, "failed": True}
    assert "wan-problems" in problems


def test_an_exported_form_is_read_back(actions: FilmActions) -> None:
    values = form(guidance_scale="0: (5), 9: (6.5)", clip_duration=0.5)
    text = letter(actions.send(note(action="export", form="project"), *values)[0])["text"]
    _, problems, *filled = actions.fill(note(project=text, name="film.json"), *form(prompts={}))
    assert problems == ""
    assert filled == values


def test_deforums_settings_fill_the_form(actions: FilmActions) -> None:
    text = json.dumps({"prompts": {"0": "a lake"}, "W": 128, "H": 64, "max_frames": 30, "zoom": "0: (1.02)"})
    answer, problems, *filled = actions.fill(note(project=text, name="old.txt"), *form())
    collected = collect(TABLES, filled)
    assert problems == ""
    assert (collected["prompts"], collected["width"], collected["max_frames"]) == ("0: a lake", "128", 30)
    assert any("zoom" in words for words in letter(answer)["notes"])


def test_a_file_that_cannot_be_read_leaves_the_form_alone(actions: FilmActions) -> None:
    answer, problems, *filled = actions.fill(note(project="{", name="broken.json"), *form())
    assert letter(answer)["failed"]
    assert "wan-problems" in problems
    assert filled == form()


def test_a_preset_is_saved(actions: FilmActions, home: Path) -> None:
    assert letter(actions.send(note(action="save_preset", name="fox"), *form())[0])["preset"] == "fox"
    kept = json.loads((home / "presets" / "fox.json").read_text(encoding="utf-8"))
    assert settings_from_mapping(kept) == settings_from_mapping(FILM)
    problems = actions.send(note(action="save_preset", name="../fox"), *form())[1]
    assert "wan-problems" in problems


def test_models_become_choices_with_what_they_can_do(client: EngineClient) -> None:
    answer, model, i2v, *_ = model_finder(client, MODEL_FIELDS)(note())
    told = letter(answer)["models"][0]
    assert told["family"] == FAMILIES["wan-tiny"].label
    label, path = model["choices"][0]
    assert label == told["label"]
    assert label.startswith("Wan-Tiny (T2V, I2V")
    assert path == ""
    assert i2v["choices"][0] == ("The model above, if it can", "")


def test_a_picked_picture_is_sent_to_the_engine(client: EngineClient, home: Path) -> None:
    picture = Path(__file__).resolve().parents[2] / "docs" / "images" / "dry_run.png"
    path, problems = uploader(client, "path")(str(picture), "")
    assert problems == ""
    assert Path(path).parent == home / "uploads"
    assert Path(path).read_bytes() == picture.read_bytes()
    guided, _ = uploader(client, "images")(str(picture), "0: /a.png")
    assert re.fullmatch(r"0: /a\.png\nmax_f/2: .*\.png", guided)


def test_a_picked_file_that_is_none_keeps_the_path(client: EngineClient, tmp_path: Path) -> None:
    text = tmp_path / "words.png"
    text.write_text("no picture", encoding="utf-8")
    kept, problems = uploader(client, "path")(str(text), "/before.png")
    assert kept == "/before.png"
    assert "wan-problems" in problems


def test_without_an_engine_the_tab_says_so(tmp_path: Path) -> None:
    host = Alone(tmp_path / "outputs", home=tmp_path)
    host.environment = tmp_path / "no environment"
    without = FilmActions(services.use(host).client, TABLES)
    shown = without.plan(note(), *form())[1]
    assert "wan-hint" in shown
    assert "not installed" in shown
    assert "not installed" in without.send(note(action="render"), *form())[1]


def test_a_pressed_button_without_a_note_does_nothing(actions: FilmActions) -> None:
    assert actions.send("", *form()) == (mailbox(""), "")
    assert actions.fill("", *form())[1:] == ["", *form()]


def test_guided_pictures_get_frames_of_their_own() -> None:
    text = with_picture(with_picture("", "/a.png"), "/b.png")
    assert text == "max_f: /a.png\nmax_f/2: /b.png"


def test_what_the_docs_name_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "tab.md").read_text(encoding="utf-8")
    sources = [*(root / "javascript").glob("*.js"), *(root / "scripts" / "wan_webui").glob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    tables = {table.name: table for page in PAGES for table in page.tables}
    code += "".join(spec.label for table in tables.values() for spec in table.fields)
    named = set(re.findall(r"\*\*?([A-Z][A-Za-z ]+)\*\*?", text))
    assert {"Generate", "Set up the engine", "Refresh models", "Take over from Deforum"} <= named
    assert [name for name in named if name not in code] == []
    options = {word for action in standalone._parser()._actions for word in action.option_strings} - {"-h", "--help"}
    assert options <= set(re.findall(r"--[a-z-]+", text))
