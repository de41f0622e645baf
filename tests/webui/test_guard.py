"""Who is let in: gradio's own login, --api-auth, both, none, and a WebUI without pages; at real servers."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers

from wan_webui import routes, services
from wan_webui.guard import are_right, foreign
from wan_webui.hosts import Access
from webui.small_engine import OpenHost, served

PAIRS = (("a", "b"), ("ü", "p:w"))
BASIC = {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
WRONG = {"Authorization": "Basic " + base64.b64encode(b"a:c").decode()}
OURS = "/wan/v1/engine"
PAGES = (("both", True, PAIRS), ("login", True, ()), ("api", False, PAIRS), ("open", False, ()))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Ports of WebUIs by what they ask for."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        ports = {}
        for name, asks, pairs in (
            ("both", True, PAIRS),
            ("login", True, ()),
            ("api", False, PAIRS),
            ("open", False, ()),
        ):
            with gr.Blocks() as page:
                gr.Textbox(label="Prompt")
            login = [("u", "p")] if asks else None
            app, address, _ = page.launch(
                prevent_thread_lock=True, auth=login, server_name="127.0.0.1", quiet=True, inbrowser=False
            )
            stack.callback(page.close)
            routes.install(app, services.build(OpenHost(home, Access(gradio_auth=asks, api_credentials=pairs))))
            ports[name] = httpx.URL(address).port
        for name, pairs in (("bare", PAIRS), ("bare open", ())):
            plain = FastAPI()
            routes.install(plain, services.build(OpenHost(home, Access(api_credentials=pairs, api_only=True))))
            ports[name] = stack.enter_context(served(plain))
        yield ports


@pytest.mark.parametrize(
    ("server", "visitor", "status"),
    [
        ("both", "anonymous", 401),
        ("both", "cookie", 200),
        ("both", "basic", 200),
        ("both", "wrong", 401),
        ("login", "anonymous", 401),
        ("login", "cookie", 200),
        ("login", "basic", 401),
        # As the WebUI's own page, which asks for nothing either.
        ("api", "anonymous", 200),
        ("api", "basic", 200),
        ("open", "anonymous", 200),
        ("bare", "anonymous", 401),
        ("bare", "basic", 200),
        ("bare", "wrong", 401),
        ("bare open", "anonymous", 200),
    ],
)
def test_who_is_let_in(servers: dict[str, int], server: str, visitor: str, status: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{servers[server]}", timeout=60) as browser:
        if visitor == "cookie":
            assert browser.post("/login", data={"username": "u", "password": "p"}).status_code == 200
        headers = {"basic": BASIC, "wrong": WRONG}.get(visitor, {})
        assert browser.get(OURS, headers=headers).status_code == status
        assert browser.head(OURS, headers=headers).status_code == status
        assert browser.post(f"{OURS}/stop", headers={**headers, "X-Wan": "1"}).status_code == status


def test_the_pages_of_the_webui_stay_as_they_were(servers: dict[str, int]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{servers['both']}", timeout=60) as browser:
        assert browser.get("/config").status_code == 401
        assert browser.get("/config", headers=BASIC).status_code == 401
        assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!", "Bearer YTpi", "Basic " + base64.b64encode(b"a").decode(), "Basic " + "A" * 10_000],
)
def test_what_is_no_credentials_is_refused(header: str) -> None:
    assert not are_right(header, PAIRS)


def test_passwords_may_hold_colons_and_any_letter() -> None:
    assert are_right("basic " + base64.b64encode("ü:p:w".encode()).decode(), PAIRS)


def test_a_form_of_another_site_is_told_what_is_missing() -> None:
    assert "X-Wan" in foreign(Headers({"content-type": "multipart/form-data"}))
