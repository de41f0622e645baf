"""Chromium for all tests of the tab, a window of its own for each, and a picture of what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect, sync_playwright

from browser import chromium as machine
from browser.chromium import Window
from browser.keyframes_page import KeyframesPage
from browser.wan_page import WanTab

STORIES = ("story", "keyframes_story", "scenes_story", "storyboard_story", "outpaint_story")
pytest.register_assert_rewrite(*(f"browser.{name}" for name in STORIES))

# The machine may be busy.
expect.set_options(timeout=60_000)

_FAILED = pytest.StashKey[bool]()

OpenWindow = Callable[..., Window]
"""Opens a window; takes the arguments of `Window` but for the browser."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember for the window fixture that the test failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium."""
    path = machine.find_chromium()
    if path is None:
        pytest.skip("the tests of the tab need Chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = machine.launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture
def open_window(
    chromium: Browser, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenWindow]:
    """Opens windows; the test fails if the page of one complained in the console."""
    windows: list[Window] = []

    def open_one(*args: Any, **options: Any) -> Window:
        windows.append(Window(chromium, *args, **options))
        return windows[-1]

    yield open_one
    if request.node.stash.get(_FAILED, False):
        folder = tmp_path_factory.mktemp("failed")
        for number, window in enumerate(windows):
            pictures = window.shots(folder, f"window-{number}")
            request.node.add_report_section("teardown", "screenshots", "\n".join(map(str, pictures)))
    complaints = [complaint for window in windows for complaint in window.complaints]
    for window in windows:
        window.close()
    assert not complaints, "the page complained:\n" + "\n".join(complaints)


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    """One window."""
    return open_window()


@pytest.fixture
def tab(window: Window, server: Any) -> WanTab:
    """The tab in a window of its own, as a user finds it who opens the page."""
    opened = WanTab(window.page)
    opened.open(server.address)
    return opened


@pytest.fixture
def deforum_file(tmp_path: Path) -> Path:
    """Settings as Deforum saves them."""
    example = Path(__file__).resolve().parents[2] / "examples" / "shapes.json"
    copy = tmp_path / "20260101120000_settings.txt"
    copy.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


@pytest.fixture
def shapes(tmp_path: Path) -> list[Path]:
    """Four pictures of a dot that goes round, in the world of the small model."""
    made = []
    for number, (across, down) in enumerate([(16, 32), (48, 32), (32, 48), (16, 16)]):
        picture = Image.new("RGB", (64, 64), "black")
        ImageDraw.Draw(picture).ellipse([across - 9, down - 9, across + 9, down + 9], fill="red")
        made.append(tmp_path / f"shape{number}.png")
        picture.save(made[-1])
    return made


@pytest.fixture
def keyframes(tab: WanTab) -> KeyframesPage:
    """The page, opened."""
    opened = KeyframesPage(tab)
    opened.show()
    return opened
