"""Opens pages in the machine's Chromium and keeps what they complain about."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Route

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_LOCAL = ("127.0.0.1", "localhost")
# Written by Chromium itself when an answer is an error or no answer comes, by gradio 3 when a page is left, and by 4.
_FAILED_LOAD = re.compile(r"Failed to load resource: |.*Failed to fetch|Unable to preload CSS")
_ADDRESS = re.compile(r"https?://[^\s)]+")


def find_chromium() -> str | None:
    """The path of the machine's Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright, executable: str) -> Browser:
    """A headless Chromium that talks to this machine alone."""
    return playwright.chromium.launch(executable_path=executable, args=list(FLAGS))


class Window:
    """A browser window with what its page has complained about since it was opened.

    Pages of gradio ask for fonts and scripts of other servers: these requests are refused here and not counted.
    """

    def __init__(self, browser: Browser, width: int = 1400, height: int = 1000, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": width, "height": height}, **options)
        self.context.route(lambda address: urlsplit(address).hostname not in _LOCAL, _refuse)
        self.complaints: list[str] = []
        self._lenient = False
        self.page = self.open()

    def open(self) -> Page:
        """A further page of the same window: the same cookies and stored values."""
        page = self.context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        address = str(message.location.get("url", ""))
        asked = _ADDRESS.findall(f"{address} {message.text}")
        elsewhere = any(urlsplit(each).hostname not in _LOCAL for each in asked)
        # Gradio's own scripts complain when their server goes away while they draw.
        excused = _FAILED_LOAD.match(message.text) or urlsplit(address).path.startswith("/assets/")
        if elsewhere or (self._lenient and excused):
            return
        self.complaints.append(f"{message.text} ({address})")

    @contextmanager
    def answers_may_fail(self) -> Iterator[None]:
        """Inside, failed requests and gradio's own words are not counted: the server is away, or must refuse."""
        self._lenient = True
        try:
            yield
        finally:
            self._lenient = False

    def shots(self, folder: Path, name: str) -> list[Path]:
        """Save what its pages show; the pictures' paths."""
        made = [folder / f"{name}-{number}.png" for number, _ in enumerate(self.context.pages)]
        for page, path in zip(self.context.pages, made, strict=True):
            page.screenshot(path=path, full_page=True)
        return made

    def close(self) -> None:
        """Close all its pages."""
        self.context.close()


def _refuse(route: Route) -> None:
    route.abort()
