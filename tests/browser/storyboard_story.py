"""What a user does on the page Storyboard, as a test over a running server."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from browser.looks import contrasts
from browser.wan_page import FILM_SECONDS, WanTab

READABLE = 4.5
TEXT = """Style: flat
A red circle moves right on a black background (1.5 s). A blue square moves down on a black background (1.5 s).
Then <img src=x onerror="window.ran = 1"> comes (1 s)."""


class StoryboardStory:
    """The tests; a class made of it says by its fixture `server` on which host."""

    def test_a_long_prompt_becomes_a_film(self, tab: WanTab, shapes: list[Path], tmp_path: Path) -> None:
        page = tab.page
        page.get_by_role("tab", name="Storyboard", exact=True).click()
        page.get_by_label("Long prompt").fill(TEXT)
        expect(page.locator("#wan_story_estimate")).to_contain_text("costs nothing")
        tab.write_box("storyboard_fps", "8")
        tab.write_box("steps", "3")
        with tab.new_job():
            page.locator("#wan_story_plan").click()
        expect(_prompts(tab)).to_have_count(3, timeout=FILM_SECONDS * 1000)
        expect(page.locator("#wan_story_add")).to_be_enabled()
        assert page.evaluate("window.ran") is None
        _change(tab)
        page.locator("#wan_generate").click()
        expect(tab.news).to_contain_text("have no picture yet")
        page.locator("#wan_story_pictures").click()
        expect(page.locator("#wan_story_approve")).to_be_enabled(timeout=FILM_SECONDS * 1000)
        expect(page.locator("#wan .wan-story-picture img")).to_have_count(3)
        _look_and_approve(tab, shapes[0])
        assert not {text: ratio for text, ratio in contrasts(tab.root).items() if ratio < READABLE}
        with page.expect_download() as saved:
            page.locator("#wan_storyboard_export").click()
        saved.value.save_as(tmp_path / "story.yaml")
        assert "seed: 5\n" in (tmp_path / "story.yaml").read_text(encoding="utf-8")
        tab.begin()
        tab.wait_for("finished")
        expect(tab.film).to_be_visible()
        expect(page.locator("#wan_made .wan-seam")).to_have_count(1)
        assert abs(tab.video_seconds() - 29 / 8) < 0.13
        tab.reload()
        expect(_prompts(tab).first).to_have_value("A blue square moves down on a black background")
        page.locator("#wan_story_clear").click()
        expect(_prompts(tab)).to_have_count(0)
        page.locator("#wan_import_file").set_input_files(tmp_path / "story.yaml")
        expect(_prompts(tab)).to_have_count(2)
        expect(tab.box("storyboard_fps")).to_have_value("8")


def _prompts(tab: WanTab) -> Locator:
    return tab.page.locator("#wan .wan-story-segment textarea")


def _change(tab: WanTab) -> None:
    """Take the third segment out, let the others change places, make the second one longer with the keyboard."""
    page = tab.page
    page.get_by_role("button", name="Remove segment 3", exact=True).click()
    page.get_by_role("button", name="Move later: segment 1", exact=True).click()
    page.locator("#wan .wan-story-handle").nth(0).drag_to(page.locator("#wan .wan-story-segment").nth(1))
    page.get_by_role("button", name="Move earlier: segment 2", exact=True).press("Enter")
    _prompts(tab).nth(0).fill("A blue square moves down on a black background")
    seconds = page.get_by_label("Seconds of segment 2", exact=True)
    for _ in range(2):
        seconds.press("ArrowUp")
    expect(seconds).to_have_value("2")
    expect(seconds).to_be_focused()
    expect(page.locator("#wan_storyboard_timeline").first).to_contain_text("29 frames at 8 fps")
    page.get_by_text("Seed, change, mask").last.click()
    # Each is heard by itself: the cards are drawn anew when a value is taken.
    for name, text in {"strength": "2", "seed": "5"}.items():
        page.locator(f"#wan_story_keyframe_2_{name}").fill(text)
        page.locator(f"#wan_story_keyframe_2_{name}").press("Enter")
    expect(tab.place().first).to_have_text('segments.last.strength, key "2"')
    page.locator("#wan_story_keyframe_2_strength").fill("")
    page.locator("#wan_story_keyframe_2_strength").press("Tab")
    expect(page.get_by_role("button", name="Choose a mask for keyframe 2")).to_be_focused()
    expect(page.locator("#wan_storyboard_timeline").first).to_contain_text("29 frames at 8 fps")


def _look_and_approve(tab: WanTab, own: Path) -> None:
    """Have one picture made again, give another, lock and approve."""
    page = tab.page
    first = page.locator("#wan .wan-story-picture img").first
    before = first.get_attribute("src")
    page.get_by_role("button", name="Lock keyframe 2", exact=True).click()
    expect(page.get_by_role("button", name="Make the picture of keyframe 2 again")).to_be_disabled()
    page.get_by_role("button", name="Make the picture of keyframe 0 again").click()
    expect(first).not_to_have_attribute("src", str(before), timeout=FILM_SECONDS * 1000)
    expect(page.locator("#wan_story_approve")).to_be_enabled()
    card = page.locator("#wan .wan-story-keyframe").nth(1)
    card.locator("input[type=file]").first.set_input_files(own)
    expect(card.get_by_role("button", name="Lock keyframe 1", exact=True)).to_have_attribute("aria-pressed", "true")
    page.locator("#wan_story_approve").click()
    expect(page.locator("#wan .wan-story .wan-head").first).to_contain_text(re.compile(r"\d s, approved"))
