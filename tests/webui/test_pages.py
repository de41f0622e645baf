"""A page is a table of settings, a place and a script: another table of settings makes a form of its own."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from wan_engine.settings_check import split_settings_from_mapping
from wan_engine.settings_split import SPLIT_SETTINGS, SplitSettings
from wan_webui import services, tab
from wan_webui.form_table import Section, Table, with_rest
from wan_webui.hosts import Alone
from wan_webui.page_actions import PageActions
from wan_webui.pages import FILM_PAGE, PAGES, Page
from webui.letters import letter

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = (
    Section("scenes", "Scenes", (("detector", "threshold"),)),
    Section("files", "Files", (("height", "codec"),)),
)
SCENES = Table("scenes", SPLIT_SETTINGS, tuple(with_rest(SECTIONS, SPLIT_SETTINGS)), "wan_scenes_")
SCENES_PAGE = Page("scenes", "Scenes", "Split", (SCENES,))


def ids_of(pages: tuple[Page, ...], home: Path) -> list[str]:
    services.use(Alone(home / "outputs", home=home))
    blocks = tab.build(pages).blocks.values()
    return [block.elem_id for block in blocks if getattr(block, "elem_id", None)]


def page_data(home: Path, pages: tuple[Page, ...]) -> dict[str, Any]:
    services.use(Alone(home / "outputs", home=home))
    strips = (block for block in tab.build(pages).blocks.values() if block.elem_id == "wan_engine_strip")
    found = re.search(r'data-page="([^"]*)"', next(strips).value)
    assert found
    return dict(json.loads(html.unescape(found[1])))


def test_a_second_table_has_ids_of_its_own(tmp_path: Path) -> None:
    ids = ids_of((FILM_PAGE, SCENES_PAGE), tmp_path)
    assert len(set(ids)) == len(ids)
    assert {f"wan_scenes_{name}" for name in SPLIT_SETTINGS} <= set(ids)
    assert {"wan_page_scenes", "wan_do_scenes_read", "wan_do_scenes_fill", "wan_do_plan"} <= set(ids)


def test_the_script_is_told_of_pages_and_places(tmp_path: Path) -> None:
    data = page_data(tmp_path, (FILM_PAGE, SCENES_PAGE))
    assert [page["name"] for page in data["pages"]] == ["film", "scenes"]
    assert data["pages"][1] == {"name": "scenes", "title": "Scenes", "verb": "Split", "prefixes": ["wan_scenes_"]}
    assert data["mounts"][-2:] == ["scenes", "pages"]
    assert data["folds"]["wan_scenes_crf"] == "wan_scenes_more_files"
    assert SPLIT_SETTINGS["min_scene"].help in data["help"]["wan_scenes_min_scene"]


def test_a_page_gives_and_takes_its_settings(tmp_path: Path) -> None:
    actions = PageActions(services.use(Alone(tmp_path, home=tmp_path)).client, (SCENES,))
    wanted = {"threshold": 0.3, "codec": "hevc", "copy": True}
    answer, problems, *values = actions.fill(
        json.dumps({"number": 1, "settings": wanted}), *[None] * len(SPLIT_SETTINGS)
    )
    assert (letter(answer), problems) == ({"number": 1}, "")
    read = letter(actions.read(json.dumps({"number": 2}), *values)[0])
    assert split_settings_from_mapping(read["settings"]) == SplitSettings(**wanted)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_page_has_a_script_with_what_the_buttons_need(page: Page) -> None:
    script = (ROOT / "javascript" / f"wan_{page.name}.js").read_text(encoding="utf-8")
    assert f'"{page.name}"' in script
    exported = re.search(rf"Object\.assign\({page.name}, \{{([^;]*)\}}\);", script)
    assert exported
    assert "generate" in exported[1]
    assert ("build" in exported[1]) == page.mounted
