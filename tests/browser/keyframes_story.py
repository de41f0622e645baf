"""What a user does on the page Keyframes and on the way to it, as tests over a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import expect

from browser.chromium import Window
from browser.keyframes_page import KeyframesPage
from browser.looks import contrasts, nameless, unexplained
from browser.servers import Server
from browser.wan_page import WanTab

READABLE = 4.5
HOSTILE = '<img src=x onerror="window.ran = 1">'


class KeyframesStory:
    """The tests; a class made of it says by its fixture `server` on which host."""

    def test_pages_are_switched_by_mouse_and_keys_and_lose_nothing(self, tab: WanTab) -> None:
        tab.write({"prompts": "0: a red circle", "steps": "3"})
        film = tab.page.get_by_role("tab", name="Film", exact=True)
        expect(film).to_have_attribute("aria-selected", "true")
        film.focus()
        film.press("ArrowRight")
        other = tab.page.get_by_role("tab", name="Keyframes", exact=True)
        expect(other).to_be_focused()
        expect(tab.box("prompts")).to_be_hidden()
        expect(tab.page.locator("#wan_keyframes_all")).to_be_visible()
        tab.page.locator("#wan_keyframes_all").fill("a blue square")
        # What makes a film is the same on both pages.
        expect(tab.box("steps")).to_have_value("3")
        other.press("Home")
        expect(tab.box("prompts")).to_have_value("0: a red circle")
        expect(tab.prompt_blocks()).to_have_text(["a red circle"])
        film.press("ArrowRight")
        expect(tab.page.locator("#wan_keyframes_all")).to_have_value("a blue square")
        tab.reload()
        expect(tab.page.locator("#wan_keyframes_all")).to_have_value("a blue square")

    def test_pictures_are_set_in_time(self, keyframes: KeyframesPage, shapes: list[Path]) -> None:
        keyframes.add(*shapes[:3])
        assert keyframes.seconds() == [0, 3, 6]
        expect(keyframes.advice).to_have_text(["72 frames (73 = 4n+1)"] * 2)
        keyframes.type_time(1, "1")
        expect(keyframes.advice.first).to_contain_text("stiff")
        keyframes.drag(1, 60)
        after = keyframes.seconds()
        assert 1 < after[1] < 6
        assert abs(after[1] * 24 - round(after[1] * 24)) < 0.02
        # It cannot be dragged past the next one, but its time can be typed past it.
        keyframes.drag(1, 900)
        assert keyframes.seconds()[1] == pytest.approx(6 - 1 / 24, abs=0.01)
        keyframes.pictures.nth(1).focus()
        keyframes.pictures.nth(1).press("Home")
        keyframes.pictures.nth(1).press("Shift+ArrowRight")
        assert keyframes.seconds()[1] == pytest.approx(1 + 1 / 24, abs=0.01)
        expect(keyframes.pictures.nth(1)).to_be_focused()
        keyframes.type_time(1, "8")
        assert keyframes.seconds() == [0, 6, 8]
        expect(keyframes.rows.nth(2)).to_contain_text("shape1.png")
        keyframes.button("Earlier: picture 3").click()
        expect(keyframes.rows.nth(1)).to_contain_text("shape1.png")
        keyframes.button("Remove: picture 3").click()
        expect(keyframes.rows).to_have_count(2)
        # The key, and the press, that leave a box reach their goal, whatever the box has changed.
        keyframes.times.nth(1).fill("2")
        keyframes.times.nth(1).press("Tab")
        expect(keyframes.button("Earlier: picture 2")).to_be_focused()
        keyframes.times.nth(1).fill("1.8")
        keyframes.button("Fit the length from picture 1 to 2 to 4n+1 frames").click()
        expect(keyframes.times.nth(1)).to_have_value("1.833")

    def test_a_film_of_keyframes_is_made_and_kept(
        self, keyframes: KeyframesPage, shapes: list[Path], tmp_path: Path, window: Window
    ) -> None:
        tab = keyframes.tab
        keyframes.add(*shapes[:3])
        expect(keyframes.places.first).to_have_text("prompt")
        keyframes.places.first.click()
        expect(keyframes.prompt).to_be_focused()
        keyframes.prompt.fill("a red circle on a black background")
        expect(keyframes.segments).to_have_text(["a red circle on a black background"] * 2)
        keyframes.words.nth(1).fill(HOSTILE)
        expect(keyframes.segments.nth(1)).to_have_text(HOSTILE)
        tab.write_box("keyframes_fps", "8")
        tab.write_box("steps", "4")
        keyframes.type_time(1, "1.5")
        # What is still being typed counts too.
        keyframes.times.nth(2).fill("3")
        with tab.new_job():
            tab.page.keyboard.press("Control+Enter")
        tab.wait_for("finished")
        expect(keyframes.plan).to_contain_text("25 frames at 8 fps")
        assert tab.video_seconds() == pytest.approx(25 / 8, abs=0.13)
        with tab.page.expect_download() as saved:
            tab.page.locator("#wan_keyframes_export").click()
        config = tmp_path / "config.yaml"
        saved.value.save_as(config)
        tab.reload()
        expect(keyframes.prompt).to_have_value("a red circle on a black background")
        expect(tab.box("keyframes_fps")).to_have_value("8")
        assert keyframes.seconds() == [0, 1.5, 3]
        keyframes.button("Remove: picture 3").click()
        tab.page.locator("#wan_import_file").set_input_files(config)
        expect(keyframes.words.nth(1)).to_have_value(HOSTILE)
        assert keyframes.seconds() == [0, 1.5, 3]
        assert tab.page.evaluate("window.ran") is None

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_the_page_fits_and_can_be_read(
        self, open_window: Any, server: Server, shapes: list[Path], theme: str
    ) -> None:
        narrow = WanTab(cast(Window, open_window(width=900)).page)
        narrow.open(f"{server.address}?__theme={theme}")
        keyframes = KeyframesPage(narrow)
        keyframes.show()
        keyframes.add(*shapes)
        keyframes.prompt.fill("a red circle on a black background " * 9)
        expect(keyframes.plan).to_contain_text("flf2v")
        assert narrow.wide().whole <= narrow.wide().seen
        assert not {text: ratio for text, ratio in contrasts(narrow.root).items() if ratio < READABLE}
        assert not unexplained(narrow.root)
        assert not nameless(narrow.root)
