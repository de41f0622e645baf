"""What holds of a WebUI's passwords, listening to others and sub-paths, as tests over servers with these flags."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Page, expect

from browser.chromium import Window
from browser.servers import Server
from browser.wan_page import SMALL_FILM, WanTab
from wan_engine.home import API_ROOT

LOCKED = ("--listen", "--gradio-auth", "ann:secret", "--api", "--api-auth", "bob:hidden")
"""Flags of a WebUI that others can reach, with a password for its pages and another for its API."""

SUBPATH = "pictures"
OPEN = ("--listen", "--subpath", SUBPATH)
"""Flags of a WebUI that others can reach without a password, below a path."""

SHORT_FILM = {**SMALL_FILM, "prompts": "0: a red circle", "max_frames": "8", "steps": "2"}


class Protection:
    """The tests; fixtures `locked` and `below` give the server with the flags above, and the page's address."""

    def test_routes_ask_for_a_password(self, locked: Server) -> None:
        asked = locked.address.rstrip("/") + API_ROOT
        plan = {"settings": {"prompts": {"0": "a red circle"}}}
        with httpx.Client(base_url=asked, headers={"X-Wan": "test"}, trust_env=False, timeout=60) as client:
            assert client.get("/engine").status_code == 401
            assert client.post("/plans", json=plan).status_code == 401
            assert client.get("/engine", auth=("bob", "wrong")).status_code == 401
            assert client.get("/engine", auth=("bob", "hidden")).status_code == 200
            assert client.get("/engine", auth=("bob", "hidden")).json()["restriction"] == ""
            assert client.post("/plans", json=plan, auth=("bob", "hidden")).status_code == 200

    def test_a_film_is_made_after_logging_in(self, locked: Server, window: Window) -> None:
        with window.answers_may_fail():
            window.page.goto(locked.address)
            log_in(window.page)
            tab = WanTab(window.page)
            tab.show()
        _make_film(tab)

    def test_a_film_is_made_below_a_path(self, below: str, window: Window) -> None:
        tab = WanTab(window.page)
        # gradio 4 asks for some of its own files beside the path and goes on without them.
        with window.answers_may_fail():
            tab.open(below)
            _make_film(tab)

    def test_nothing_costly_is_open_to_others(self, below: str) -> None:
        with httpx.Client(base_url=below.rstrip("/") + API_ROOT, headers={"X-Wan": "test"}, trust_env=False) as client:
            assert "asks for no password" in client.get("/engine").json()["restriction"]
            for path in ("/engine/install", "/engine/stop"):
                refused = client.post(path)
                assert refused.status_code == 403
                assert "asks for no password" in refused.json()["detail"]


def log_in(page: Page) -> None:
    """Fill in the WebUI's login page."""
    page.get_by_label(re.compile("username", re.IGNORECASE)).fill("ann")
    page.get_by_label(re.compile("password", re.IGNORECASE)).fill("secret")
    page.get_by_role("button", name=re.compile("log ?in", re.IGNORECASE)).click()


def _make_film(tab: WanTab) -> None:
    tab.write(SHORT_FILM)
    expect(tab.prompt_blocks()).to_have_count(1)
    tab.begin()
    tab.wait_for("finished")
    assert tab.video_seconds() > 0.5
