"""The page Keyframes of the Wan tab as a user sees it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from browser.wan_page import WanTab


class KeyframesPage:
    """Its pictures, segments and plan."""

    def __init__(self, tab: WanTab) -> None:
        self.tab = tab
        page = tab.page
        self.rows = page.locator("#wan .wan-kf-row")
        self.pictures = page.locator("#wan .wan-kf-picture")
        self.segments = page.locator("#wan .wan-kf-segment")
        self.words = page.locator("#wan .wan-kf-sub")
        self.times = page.locator("#wan .wan-kf-time")
        self.advice = page.locator("#wan .wan-kf-advice")
        self.prompt = page.locator("#wan_keyframes_all")
        self.plan = page.locator("#wan_keyframes_timeline").first
        self.places = page.locator("#wan_keyframes_timeline .wan-place")

    def show(self) -> None:
        """Open the page."""
        self.tab.page.get_by_role("tab", name="Keyframes", exact=True).click()
        expect(self.prompt).to_be_visible()

    def add(self, *pictures: Path) -> None:
        """Add pictures with the button's file dialog."""
        before = self.pictures.count()
        self.tab.page.locator("#wan_keyframes_files").set_input_files(pictures)
        expect(self.pictures).to_have_count(before + len(pictures))

    def type_time(self, number: int, seconds: str) -> None:
        """Type a picture's time, counted from 0, and leave the box."""
        self.times.nth(number).fill(seconds)
        self.times.nth(number).press("Enter")

    def drag(self, number: int, pixels: float) -> None:
        """Drag a picture along the line of time."""
        box = self.pictures.nth(number).bounding_box()
        assert box
        mouse, across, down = self.tab.page.mouse, box["x"] + box["width"] / 2, box["y"] + 20
        mouse.move(across, down)
        mouse.down()
        mouse.move(across + pixels / 2, down, steps=4)
        mouse.move(across + pixels, down, steps=4)
        mouse.up()

    def seconds(self) -> list[float]:
        """The times of all pictures."""
        return [float(box.input_value()) for box in self.times.all()]

    def button(self, name: str) -> Locator:
        """A button of a picture by its whole name."""
        return self.tab.page.get_by_role("button", name=name, exact=True)
