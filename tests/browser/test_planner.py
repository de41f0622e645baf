"""A language model plans on the page Storyboard: its price, its segments as they come, and a service that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from browser.servers import Server, alone
from browser.wan_page import WanTab
from llm_server import LlmServer, Reply, llm_server
from story_samples import ANSWER, TEXT
from wan_engine.storyboard.services import SERVICES_FILE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KEY = "sk-0123456789-secret"
LONG = json.dumps({**ANSWER, "segments": ANSWER["segments"] * 3})
PROMPTS = "#wan .wan-story-segment textarea"


@pytest.fixture
def planner() -> Iterator[LlmServer]:
    """The model's service, which stops in the middle of six segments until it is told to go on."""
    with llm_server(Reply(LONG, hold=8000)) as server:
        yield server
        server.released.set()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, planner: LlmServer) -> Iterator[Server]:
    """The page of its own, whose engine knows the service."""
    made = alone(tmp_path_factory.mktemp("alone"))
    made.home.mkdir()
    services = made.home / SERVICES_FILE
    services.touch(mode=0o600)
    named = f"url: {planner.address}, key: {KEY}, model: small, price_in: 100, price_out: 400"
    services.write_text(f"planner: {{{named}}}\n", encoding="utf-8")
    made.start()
    yield made
    made.close()


def test_a_language_model_plans(tab: WanTab, planner: LlmServer) -> None:
    page, prompts = tab.page, tab.page.locator(PROMPTS)
    page.get_by_role("tab", name="Storyboard", exact=True).click()
    page.get_by_label("Long prompt").fill(TEXT)
    page.locator("#wan_story_planner").select_option("llm")
    expect(page.locator("#wan_story_estimate")).to_contain_text("tokens sent and")
    expect(page.locator("#wan_story_estimate")).to_contain_text("dollars")
    assert planner.requests == []
    with tab.new_job():
        page.locator("#wan_story_plan").click()
    # Segments stand in the strip while the model still answers.
    expect(prompts).not_to_have_count(0)
    assert not planner.answered
    planner.released.set()
    expect(page.locator("#wan_story_used")).to_contain_text(
        f"small took 100 tokens sent and {len(LONG) // 4} received; "
    )
    expect(prompts).to_have_count(6)
    expect(page.locator("#wan_story_add")).to_be_enabled()
    planner.replies = [Reply(json.dumps({"prompt": "a red dot glides to the right"}))]
    page.get_by_role("button", name="Enhance the words of segment 1", exact=True).click()
    expect(prompts.first).to_have_value("a red dot glides to the right")
    expect(tab.news).to_contain_text("Segment 1 said before: Dot moves right")
    # An answer that is cut off: the error is told, its whole segments stay.
    planner.replies = [Reply(LONG[:1100], finish="length")]
    page.locator("#wan_story_plan").click()
    expect(page.locator("#wan .wan-stage .wan-problems")).to_contain_text("the answer was cut off")
    expect(prompts).to_have_count(5)
    expect(page.locator("#wan_story_add")).to_be_enabled()
    expect(page.locator("#wan_story_used")).to_contain_text("275 received")
    # A service that refuses: nothing is lost.
    planner.replies = [Reply("no quota left", status=429, headers={"retry-after": "0"})]
    page.locator("#wan_story_plan").click()
    expect(page.locator("#wan .wan-stage .wan-problems")).to_contain_text("its quota is used up: no quota left")
    expect(prompts).to_have_count(5)
    assert KEY not in page.content()
