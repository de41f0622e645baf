"""Passwords and sub-paths of a WebUI hold for the tab and its routes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from browser.chromium import Window
from browser.servers import Server, standin
from browser.wan_page import SMALL_FILM, WanTab
from wan_engine.home import API_ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KINDS = ["a1111", "forge"]


@pytest.fixture(scope="module", params=KINDS)
def locked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A WebUI with a password for its pages and another for its API."""
    folder = tmp_path_factory.mktemp(f"locked-{request.param}")
    made = standin(request.param, folder, "--gradio-auth", "ann:secret", "--api", "--api-auth", "bob:hidden")
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module", params=KINDS)
def below(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A WebUI below a path of its address."""
    folder = tmp_path_factory.mktemp(f"below-{request.param}")
    made = standin(request.param, folder, "--subpath", "/pictures", path="/pictures/")
    made.start()
    yield made
    made.close()


def test_routes_ask_for_a_password(locked: Server) -> None:
    asked = locked.address.rstrip("/") + API_ROOT
    plan = {"settings": {"prompts": {"0": "a red circle"}}}
    with httpx.Client(base_url=asked, headers={"X-Wan": "test"}, trust_env=False, timeout=60) as client:
        assert client.get("/engine").status_code == 401
        assert client.post("/plans", json=plan).status_code == 401
        assert client.get("/engine", auth=("bob", "wrong")).status_code == 401
        assert client.get("/engine", auth=("bob", "hidden")).status_code == 200
        assert client.post("/plans", json=plan, auth=("bob", "hidden")).status_code == 200


def test_the_tab_works_after_logging_in(locked: Server, window: Window) -> None:
    page = window.page
    with window.answers_may_fail():
        page.goto(locked.address)
        page.get_by_label(re.compile("username", re.IGNORECASE)).fill("ann")
        page.get_by_label(re.compile("password", re.IGNORECASE)).fill("secret")
        page.get_by_role("button", name=re.compile("log ?in", re.IGNORECASE)).click()
        tab = WanTab(page)
        tab.show()
    tab.write(SMALL_FILM)
    expect(tab.prompt_blocks()).to_have_count(2)


def test_the_tab_works_below_a_path(below: Server, window: Window) -> None:
    tab = WanTab(window.page)
    tab.open(below.address)
    tab.write(SMALL_FILM)
    expect(tab.prompt_blocks()).to_have_count(2)
    expect(tab.page.locator("#wan .wan-dot.wan-good")).to_be_visible()
