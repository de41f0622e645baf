"""What a user does on the page Outpaint, as tests over a running server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Locator, expect

from browser.chromium import Window
from browser.looks import contrasts
from browser.servers import Server
from browser.wan_page import WanTab
from scene_films import texture_clip, write_film

READABLE = 4.5
PICTURE = "#wan .wan-op-picture"


@pytest.fixture(scope="module")
def small_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine frames of 64x48."""
    return write_film(
        tmp_path_factory.mktemp("film") / "small.mp4", texture_clip(3, 9)[:, :96:2, :128:2].astype("uint8")
    )


def open_page(tab: WanTab, film: Path) -> Locator:
    """Open the page with a film; gives the line of words about its canvas."""
    tab.page.get_by_role("tab", name="Outpaint", exact=True).click()
    tab.page.locator("#wan_outpaint_file").set_input_files(film)
    expect(tab.page.locator(PICTURE)).to_be_visible(timeout=90_000)
    return tab.page.locator("#wan_page_outpaint .wan-panel p").first


def drag(tab: WanTab, selector: str, across: float) -> None:
    """Drag an element to the side by so many pixels."""
    box = tab.page.locator(selector).bounding_box()
    assert box
    x, y, mouse = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, tab.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + across / 2, y, steps=3)
    mouse.move(x + across, y, steps=3)
    mouse.up()


class OutpaintStory:
    """The tests; a class made of it says by its fixture `server` on which host."""

    def test_the_canvas_is_drawn_by_hand_and_previewed(self, tab: WanTab, small_film: Path) -> None:
        words = open_page(tab, small_film)
        expect(words).to_contain_text("1280 × 720")
        tab.box("outpaint_right").fill("50")
        tab.box("outpaint_right").press("Tab")
        expect(words).to_contain_text("96 × 48 · the film 64 × 48 at 0, 0")
        # The film goes to the side by key and mouse, an edge makes more room.
        source = tab.page.locator("#wan_outpaint_source")
        source.focus()
        source.press("Shift+ArrowRight")
        expect(tab.box("outpaint_left")).to_have_value("10")
        expect(tab.box("outpaint_right")).to_have_value("40")
        expect(words).to_contain_text("at 6, 0")
        drag(tab, "#wan_outpaint_source", 600)
        expect(tab.box("outpaint_right")).to_have_value("0")
        expect(tab.box("outpaint_left")).to_have_value("50")
        expect(words).to_contain_text("at 32, 0")
        drag(tab, "#wan .wan-op-left", -60)
        expect(tab.box("outpaint_left")).not_to_have_value("50")
        assert 55 < float(tab.box("outpaint_left").input_value()) < 90
        tab.box("outpaint_left").fill("50")
        tab.box("outpaint_left").press("Tab")
        expect(words).to_contain_text("at 32, 0")
        canvas = tab.page.locator(PICTURE).get_attribute("src")
        tab.page.locator("#wan_outpaint_view").select_option("mask")
        expect(tab.page.locator(PICTURE)).not_to_have_attribute("src", str(canvas))
        tab.reload()
        expect(words).to_contain_text("at 32, 0", timeout=90_000)
        tab.page.locator("#wan_outpaint_preview").click()
        tab.wait_for("finished")
        expect(tab.page.locator("#wan .wan-op-made figcaption")).to_have_text(["Before", "Canvas", "Mask", "After"])
        # A box makes a part of the film anew.
        tab.page.locator("#wan_outpaint_draw").click()
        expect(words).to_contain_text("64 × 48 ·")
        stage = tab.page.locator("#wan .wan-op-stage").bounding_box()
        assert stage
        tab.page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + 4)
        tab.page.mouse.down()
        tab.page.mouse.move(stage["x"] + stage["width"] - 4, stage["y"] + stage["height"] / 2, steps=4)
        tab.page.mouse.up()
        more = tab.page.locator("#wan_outpaint_more_canvas .label-wrap").first
        if not tab.box("outpaint_box").is_visible():
            more.click()
        expect(tab.box("outpaint_box")).to_have_value(re.compile(r"^3[123],[01],3[0123],2[2345]$"))
        tab.page.locator("#wan_outpaint_clear").click()
        expect(tab.box("outpaint_box")).to_have_value("")

    @pytest.mark.parametrize("mode", ["light", "dark"])
    def test_outpaint_fits_and_can_be_read(self, open_window: Any, server: Server, small_film: Path, mode: str) -> None:
        tab = WanTab(cast(Window, open_window(width=900)).page)
        tab.open(f"{server.address}?__theme={mode}")
        open_page(tab, small_film)
        assert tab.wide().whole <= tab.wide().seen
        assert not {name: ratio for name, ratio in contrasts(tab.root).items() if ratio < READABLE}
