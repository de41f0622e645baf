"""The page Scenes of the Wan tab as a user sees it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from browser.wan_page import FILM_SECONDS, WanTab


class ScenesPage:
    """Its film, strip, cuts and list."""

    def __init__(self, tab: WanTab) -> None:
        self.tab = tab
        page = tab.page
        self.film = page.locator("#wan_scenes_film")
        self.find = page.locator("#wan_scenes_find")
        self.track = page.locator("#wan_scenes_track")
        self.cuts = page.locator("#wan .wan-sc-cut")
        self.where = page.locator("#wan_page_scenes .wan-sc-where")
        self.cards = page.locator("#wan .wan-sc-card")
        self.pictures = page.locator("#wan .wan-sc-card img")
        self.add = page.locator("#wan_scenes_add")
        self.remove = page.locator("#wan_scenes_remove")
        self.reset = page.locator("#wan_scenes_reset")
        self.uncut = page.locator("#wan_scenes_uncut")

    def show(self) -> None:
        """Open the page."""
        self.tab.page.get_by_role("tab", name="Scenes", exact=True).click()
        expect(self.film).to_be_visible()

    def choose(self, film: Path) -> None:
        """Pick a film with the button's file dialog."""
        self.tab.page.locator("#wan_scenes_file").set_input_files(film)
        expect(self.film).not_to_have_value("")

    def find_scenes(self, cuts: int) -> None:
        """Press Find scenes and wait for so many cuts."""
        self.find.click()
        expect(self.cuts).to_have_count(cuts, timeout=FILM_SECONDS * 1000)

    def frames(self) -> list[int]:
        """Where the cuts lie."""
        return [int(cut.get_attribute("data-cut") or 0) for cut in self.cuts.all()]

    def drag(self, number: int, frames: float, of: int) -> None:
        """Drag a cut by so many frames of a film of so many."""
        box, track = self.cuts.nth(number).bounding_box(), self.track.bounding_box()
        assert box
        assert track
        mouse, across, down = self.tab.page.mouse, box["x"] + box["width"] / 2, box["y"] + 20
        pixels = track["width"] * frames / of
        mouse.move(across, down)
        mouse.down()
        mouse.move(across + pixels / 2, down, steps=3)
        mouse.move(across + pixels, down, steps=3)
        mouse.up()

    def button(self, words: str, scene: int) -> Locator:
        """A scene's button in the list."""
        return self.tab.page.get_by_role("button", name=f"{words}: scene {scene}", exact=True)
