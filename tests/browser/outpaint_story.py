"""What a user does on the page Outpaint, as tests over a running server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import expect

from browser.chromium import Window
from browser.looks import contrasts
from browser.outpaint_page import OutpaintPage
from browser.servers import Server
from browser.wan_page import WanTab
from scene_films import texture_clip, write_film

READABLE = 4.5

_EMPTIED_MEANWHILE = """async () => {
    const { server, outpaint, dom } = wanTab, ask = server.ask, asked = [];
    server.ask = (...given) => {
        asked.push(ask(...given));
        if (asked.length === 2) outpaint.take(""); // the engine looks at the film
        return asked.at(-1);
    };
    outpaint.changed();
    while (asked.length < 2) await dom.pause(10);
    server.ask = ask;
    await Promise.all(asked);
    await dom.pause(0);
    return outpaint.whole.classList.contains("wan-hidden");
}"""
"""Whether nothing is shown when the film is taken away while the page asks how it looks."""

_TAKE_POINTER_AWAY = """() => {
    const before = wanTab.server.nextNumber();
    window.dispatchEvent(new PointerEvent("pointercancel", { pointerId: 1 }));
    return wanTab.server.nextNumber() - before;
}"""
"""How many questions the page asks when that happens."""


@pytest.fixture(scope="module")
def small_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine frames of 64x48."""
    return write_film(
        tmp_path_factory.mktemp("film") / "small.mp4", texture_clip(3, 9)[:, :96:2, :128:2].astype("uint8")
    )


class OutpaintStory:
    """The tests; a class made of it says by its fixture `server` on which host."""

    def test_the_canvas_is_drawn_by_hand_and_previewed(self, tab: WanTab, small_film: Path) -> None:
        page = OutpaintPage(tab)
        page.open(small_film)
        expect(page.words).to_contain_text("1280 × 720")
        page.write("right", "50")
        expect(page.words).to_contain_text("96 × 48 · the film 64 × 48 at 0, 0")
        # The film goes to the side by key and mouse, an edge makes more room.
        page.source.focus()
        page.source.press("Shift+ArrowRight")
        expect(tab.box("outpaint_left")).to_have_value("10")
        expect(tab.box("outpaint_right")).to_have_value("40")
        expect(page.words).to_contain_text("at 6, 0")
        page.drag(page.source, 600)
        expect(tab.box("outpaint_right")).to_have_value("0")
        expect(tab.box("outpaint_left")).to_have_value("50")
        expect(page.words).to_contain_text("at 32, 0")
        # A drag that is over is over: the browser takes the pointer of a later one away, and nothing moves.
        assert tab.page.evaluate(_TAKE_POINTER_AWAY) == 0
        page.drag(page.left_edge, -60)
        expect(tab.box("outpaint_left")).not_to_have_value("50")
        assert 55 < float(tab.box("outpaint_left").input_value()) < 90
        expect(page.words).not_to_contain_text("at 32, 0")
        page.write("left", "50")
        expect(page.words).to_contain_text("at 32, 0")
        canvas = page.picture.get_attribute("src")
        page.view.select_option("mask")
        expect(page.picture).not_to_have_attribute("src", str(canvas))
        tab.reload()
        expect(page.words).to_contain_text("at 32, 0", timeout=90_000)
        with tab.new_job():
            page.preview.click()
        tab.wait_for("finished")
        expect(page.looks).to_have_text(["Before", "Canvas", "Mask", "After"])
        # A box makes a part of the film anew.
        page.draw_box.click()
        expect(page.words).to_contain_text("64 × 48 ·")
        stage = page.stage.bounding_box()
        assert stage
        tab.page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + 4)
        tab.page.mouse.down()
        tab.page.mouse.move(stage["x"] + stage["width"] - 4, stage["y"] + stage["height"] / 2, steps=4)
        tab.page.mouse.up()
        more = tab.page.locator("#wan_outpaint_more_canvas .label-wrap").first
        if not tab.box("outpaint_box").is_visible():
            more.click()
        expect(tab.box("outpaint_box")).to_have_value(re.compile(r"^3[123],[01],3[0123],2[2345]$"))
        page.no_box.click()
        expect(tab.box("outpaint_box")).to_have_value("")

    def test_a_film_is_outpainted_and_its_job_gives_the_settings_back(self, tab: WanTab, small_film: Path) -> None:
        page = OutpaintPage(tab)
        page.open(small_film)
        for name, text in {"right": "50", "num_inference_steps": "2", "guidance_scale": "1", "seed": "3"}.items():
            page.write(name, text)
        tab.box("outpaint_prompt").fill("a wall of bricks")
        expect(page.words).to_contain_text("96 × 48")
        film = page.film.input_value()
        tab.begin()
        tab.wait_for("finished")
        assert tab.video_seconds() == pytest.approx(9 / 24, abs=0.05)
        assert tab.film.evaluate("(video) => [video.videoWidth, video.videoHeight]") == [96, 48]
        page.write("right", "20")
        assert tab.page.evaluate(_EMPTIED_MEANWHILE) is True
        tab.jobs.first.get_by_role("button", name="Use settings").click()
        expect(page.film).to_have_value(film)
        expect(tab.box("outpaint_right")).to_have_value("50")
        expect(tab.box("outpaint_prompt")).to_have_value("a wall of bricks")
        expect(page.words).to_contain_text("96 × 48")

    @pytest.mark.parametrize("mode", ["light", "dark"])
    def test_outpaint_fits_and_can_be_read(self, open_window: Any, server: Server, small_film: Path, mode: str) -> None:
        tab = WanTab(cast(Window, open_window(width=900)).page)
        tab.open(f"{server.address}?__theme={mode}")
        OutpaintPage(tab).open(small_film)
        assert tab.wide().whole <= tab.wide().seen
        assert not {name: ratio for name, ratio in contrasts(tab.root).items() if ratio < READABLE}
