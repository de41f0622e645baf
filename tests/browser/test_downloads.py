"""Get models in the tab: licence first, a download followed through a reload and cancelled, and refused in public."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from browser.chromium import Window
from browser.looks import contrasts
from browser.servers import Server, alone, standin
from browser.wan_page import WanTab
from hub_server import HubServer, Repository, hub_server
from wan_engine.models.downloads.table import SETS, TABLE, find_entries, find_entry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

VAE = find_entry("wan2.1-vae")
FILE = VAE.patterns[0]
CONTENT = os.urandom(1_000_000)
START_MS = 60_000
READABLE = 4.5
"""Least contrast of text, WCAG 2.2 success criterion 1.4.3."""


@pytest.fixture(scope="module")
def stocked() -> Iterator[HubServer]:
    with hub_server() as hub:
        for entry in find_entries("outpaint"):
            hub.repositories[entry.repository] = Repository({name.replace("*", "one"): b"2" for name in entry.patterns})
        hub.repositories[VAE.repository] = Repository({FILE: CONTENT})
        yield hub


@pytest.fixture(scope="module", params=["a1111", "alone"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stocked: HubServer
) -> Iterator[Server]:
    """The oldest gradio and the newest, with an engine whose hub is on this machine."""
    folder = tmp_path_factory.mktemp(request.param)
    made = alone(folder) if request.param == "alone" else standin(request.param, folder)
    made.environ |= {"HF_ENDPOINT": stocked.address, "HF_HUB_OFFLINE": "0"}
    made.start()
    yield made
    made.close()


def open_list(page: Page) -> Locator:
    """The open panel, with the table in it; the engine runs once a plan was asked for."""
    panel = page.locator("#wan_downloads")
    expect(page.locator("#wan .wan-dot.wan-good")).to_be_visible(timeout=START_MS)
    panel.locator("summary").click()
    expect(panel.locator("tr[data-name]")).to_have_count(len(TABLE) + len(SETS), timeout=START_MS)
    return panel


def ask_for(panel: Locator, name: str) -> None:
    panel.get_by_label("Search what can be downloaded").fill(name)
    panel.get_by_role("button", name=f"Download {name}", exact=True).click()


def test_a_model_is_got_from_the_tab(tab: WanTab, server: Server, stocked: HubServer) -> None:
    tab.write({"prompts": "0: a red circle"})
    panel, page = open_list(tab.page), tab.page
    dim = {words: ratio for words, ratio in contrasts(panel).items() if ratio < READABLE}
    assert not dim
    ask_for(panel, VAE.name)
    start = page.locator("#wan_download_start")
    expect(start).to_be_disabled()
    asked = len(stocked.asked)
    stocked.faults.released.clear()
    stocked.faults.hold[FILE] = 400_000
    page.locator("#wan_download_accept").check()
    start.click()
    now = page.locator("#wan .wan-download-now")
    expect(now).to_contain_text("of 1 MB", timeout=START_MS)
    assert len(stocked.asked) > asked
    tab.reload()
    expect(now).to_have_attribute("data-state", "running", timeout=START_MS)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        # Longer than the time between two looks at the download, each of which draws it.
        page.locator("#wan_download_cancel").click(delay=2500)
    stocked.faults.released.set()
    expect(now).to_have_attribute("data-state", "cancelled", timeout=START_MS)
    panel = open_list(page)
    expect(panel.locator(f"tr[data-name='{VAE.name}'] .wan-chip")).to_have_text("stopped")
    panel.get_by_label("Search what can be downloaded").fill(VAE.name)
    panel.get_by_role("button", name=f"Download {VAE.name}").click()
    page.locator("#wan_download_accept").check()
    page.locator("#wan_download_start").click()
    expect(now).to_have_attribute("data-state", "there", timeout=START_MS)
    expect(panel.locator(f"tr[data-name='{VAE.name}'] .wan-chip")).to_have_text("here")
    expect(panel.locator(f"tr[data-name='{VAE.name}'] button")).to_have_count(0)
    (made,) = server.home.parents[0].rglob("wan_2.1_vae.safetensors")
    assert made.read_bytes() == CONTENT


def test_a_set_is_got_with_each_licence_in_view(tab: WanTab, server: Server) -> None:
    tab.write({"prompts": "0: a red circle"})
    panel, page = open_list(tab.page), tab.page
    expect(panel.locator(".wan-download-kind").first).to_have_text("Sets: all that one kind of work needs")
    ask_for(panel, "outpaint")
    ask = page.locator("#wan .wan-download-ask")
    for entry in find_entries("outpaint"):
        expect(ask.locator("p", has_text=f"{entry.name} (").get_by_role("link")).to_have_text(entry.licence)
    expect(ask).to_contain_text("such an account's token in HF_TOKEN")
    page.locator("#wan_download_accept").check()
    page.locator("#wan_download_start").click()
    expect(page.locator("#wan .wan-download-now")).to_have_attribute("data-state", "there", timeout=START_MS)
    panel.get_by_label("Search what can be downloaded").fill("blip2")
    expect(panel.locator("tr[data-name=blip2] .wan-chip")).to_have_text("here", timeout=START_MS)


def test_what_failed_says_why(tab: WanTab, server: Server) -> None:
    tab.write({"prompts": "0: a red circle"})
    ask_for(open_list(tab.page), "wan2.1-vace-14b")
    tab.page.locator("#wan_download_accept").check()
    tab.page.locator("#wan_download_start").click()
    now = tab.page.locator("#wan .wan-download-now")
    expect(now).to_have_attribute("data-state", "failed", timeout=START_MS)
    expect(now).to_contain_text("the hub does not give out Wan-AI/Wan2.1-VACE-14B-diffusers")


def test_in_public_nothing_is_downloaded(window: Window, tmp_path: Path, stocked: HubServer) -> None:
    public = standin("a1111", tmp_path, "--listen")
    public.environ |= {"HF_ENDPOINT": stocked.address, "HF_HUB_OFFLINE": "0"}
    public.start()
    try:
        asked, tab = len(stocked.asked), WanTab(window.page)
        tab.open(public.address)
        tab.write({"prompts": "0: a red circle"})
        panel = open_list(window.page)
        expect(panel).to_contain_text("Downloads are off: others can reach this WebUI and it asks for no password")
        expect(panel.get_by_role("button", name="Download", exact=False)).to_have_count(len(TABLE) + len(SETS))
        expect(panel.locator("button:enabled")).to_have_count(0)
        body = {"name": VAE.name, "accept_licence": True}
        refused = httpx.post(f"{public.address}wan/v1/downloads", json=body, headers={"X-Wan": "t"}, trust_env=False)
        assert refused.status_code == 403
        assert len(stocked.asked) == asked
    finally:
        public.close()
