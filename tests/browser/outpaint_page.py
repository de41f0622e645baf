"""The page Outpaint of the Wan tab as a user sees it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from browser.wan_page import WanTab


class OutpaintPage:
    """Its film, canvas and words."""

    def __init__(self, tab: WanTab) -> None:
        self.tab = tab
        page = tab.page
        self.film = page.locator("#wan_outpaint_film")
        self.picture = page.locator("#wan .wan-op-picture")
        self.source = page.locator("#wan_outpaint_source")
        self.left_edge = page.locator("#wan .wan-op-left")
        self.stage = page.locator("#wan .wan-op-stage")
        self.view = page.locator("#wan_outpaint_view")
        self.draw_box = page.locator("#wan_outpaint_draw")
        self.no_box = page.locator("#wan_outpaint_clear")
        self.preview = page.locator("#wan_outpaint_preview")
        self.looks = page.locator("#wan .wan-op-made figcaption")
        self.words = page.locator("#wan_page_outpaint .wan-panel p").first
        """The line about the canvas."""

    def show(self) -> None:
        """Open the page."""
        self.tab.page.get_by_role("tab", name="Outpaint", exact=True).click()
        expect(self.film).to_be_visible()

    def open(self, film: Path) -> None:
        """Open the page with a film."""
        self.show()
        self.tab.page.locator("#wan_outpaint_file").set_input_files(film)
        expect(self.picture).to_be_visible(timeout=90_000)

    def write(self, name: str, text: str) -> None:
        """Fill in a setting and leave its box."""
        box = self.tab.box(f"outpaint_{name}")
        box.fill(text)
        box.press("Tab")

    def drag(self, what: Locator, across: float) -> None:
        """Drag something to the side by so many pixels."""
        box = what.bounding_box()
        assert box
        x, y, mouse = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, self.tab.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + across / 2, y, steps=3)
        mouse.move(x + across, y, steps=3)
        mouse.up()
