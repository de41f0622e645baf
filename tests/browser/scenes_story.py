"""What a user does on the page Scenes, as tests over a running server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import expect

from browser.chromium import Window
from browser.looks import contrasts
from browser.outpaint_page import OutpaintPage
from browser.scenes_page import ScenesPage
from browser.servers import Server
from browser.wan_page import WanTab
from scene_films import Join, joined, texture_clip, write_film

READABLE = 4.5
FRAMES = 90


@pytest.fixture(scope="module")
def three_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with cuts at 30 and 60."""
    frames, _ = joined([texture_clip(seed, 30) for seed in range(3)], [Join("cut")] * 2)
    return write_film(tmp_path_factory.mktemp("film") / "three.mp4", frames)


class ScenesStory:
    """The tests; a class made of it says by its fixture `server` on which host."""

    def test_cuts_are_found_changed_cut_and_sent_on(self, tab: WanTab, three_scenes: Path) -> None:
        page = ScenesPage(tab)
        page.show()
        page.choose(three_scenes)
        page.find_scenes(cuts=2)
        assert page.frames() == [30, 60]
        expect(page.where).to_contain_text("Cut at frame 30")
        # What a scene's file is needed for says so as long as there is none.
        expect(page.uncut).to_contain_text("press Split first")
        for words in ("Start video", "Outpaint"):
            expect(page.button(words, 1)).to_be_disabled()
            expect(page.button(words, 1)).to_have_attribute("title", "Press Split first: it needs the scene's file")
        # By keys: the chosen cut moves, a new one comes, another one goes.
        page.cuts.first.focus()
        tab.page.keyboard.press("ArrowRight")
        tab.page.keyboard.press("Shift+ArrowLeft")
        assert page.frames() == [21, 60]
        page.track.focus()
        tab.page.keyboard.press("Home")
        for _ in range(8):
            tab.page.keyboard.press("ArrowRight")
        tab.page.keyboard.press("c")
        assert page.frames() == [8, 21, 60]
        tab.page.keyboard.press("Delete")
        assert page.frames() == [21, 60]
        # By mouse: dragged as far as its neighbour at most; added, removed.
        page.drag(1, -10, FRAMES)
        assert abs(page.frames()[1] - 50) <= 1
        page.drag(1, -60, FRAMES)
        assert page.frames() == [21, 22]
        page.remove.click()
        assert page.frames() == [21]
        track = page.track.bounding_box()
        assert track
        page.track.dblclick(position={"x": track["width"] * 70 / FRAMES, "y": 90})
        added = page.frames()[1]
        assert abs(added - 70) <= 1
        tab.page.get_by_label("Cut scene 0 into a file").uncheck()
        tab.reload()
        expect(page.cuts).to_have_count(2)
        assert page.frames() == [21, added]
        expect(tab.page.get_by_label("Cut scene 0 into a file")).not_to_be_checked()
        tab.begin()
        tab.wait_for("finished")
        # The scenes that were wanted are files now; the piece left out is none.
        expect(page.button("Start video", 1)).to_be_enabled()
        expect(page.button("Start video", 0)).to_be_disabled()
        expect(page.uncut).to_be_hidden()
        assert page.frames() == [21, added]
        page.button("Start image", 1).click()
        expect(tab.box("init_image")).to_have_value(re.compile(r"_21\.png$"))
        expect(tab.page.locator("#wan_init_image img.wan-picked").first).to_be_visible()
        page.show()
        page.button("Start video", 2).click()
        expect(tab.box("init_video")).to_have_value(re.compile(r"-00[01]\.mp4$"))
        page.show()
        page.button("Outpaint", 2).click()
        expect(OutpaintPage(tab).film).to_have_value(re.compile(r"-00[01]\.mp4$"))

    def test_a_job_gives_its_film_and_settings_back(self, tab: WanTab, three_scenes: Path) -> None:
        page = ScenesPage(tab)
        page.show()
        page.choose(three_scenes)
        tab.box("scenes_threshold").fill("0.3")
        tab.box("scenes_threshold").press("Tab")
        page.find_scenes(cuts=2)
        film = page.film.input_value()
        tab.wait_for("finished")
        page.film.fill("another.mp4")
        tab.box("scenes_threshold").fill("0.8")
        tab.box("scenes_threshold").press("Tab")
        tab.jobs.first.get_by_role("button", name="Use settings").click()
        expect(page.film).to_have_value(film)
        expect(tab.box("scenes_threshold")).to_have_value("0.3")

    def test_what_is_wrong_is_told_at_its_box(self, tab: WanTab, tmp_path: Path) -> None:
        page = ScenesPage(tab)
        page.show()
        page.film.fill(str(tmp_path / "none.mp4"))
        with_place = tab.problems.locator(".wan-place")
        page.find.click()
        expect(with_place).to_contain_text("films")
        with_place.click()
        expect(page.film).to_be_focused()
        expect(page.cuts).to_have_count(0)

    @pytest.mark.parametrize("mode", ["light", "dark"])
    def test_it_fits_a_narrow_window_and_can_be_read(self, open_window: Any, server: Server, mode: str) -> None:
        window = cast(Window, open_window(900, 1000, color_scheme=mode))
        tab = WanTab(window.page)
        tab.open(f"{server.address}?__theme={mode}")
        page = ScenesPage(tab)
        page.show()
        wide = tab.wide()
        assert wide.whole <= wide.seen
        dull = {name: ratio for name, ratio in contrasts(tab.root).items() if ratio < READABLE}
        assert not dull
