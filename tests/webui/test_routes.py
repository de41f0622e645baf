"""The extension's routes at a real server: who is let in, and what goes through to the engine and back."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from wan_engine.home import INFO_FILE, RESTRICTED_HEADER
from wan_webui import routes, services
from wan_webui.hosts import Access
from webui.small_engine import TOKEN, OpenHost, SmallEngine, leave_info, served

API = "/wan/v1"
JSON = {"Content-Type": "application/json"}


@dataclass
class Bench:
    """A host's server with the routes, and the small engine behind it."""

    browser: httpx.Client
    engine: SmallEngine
    engine_port: int
    home: Path


def build(home: Path, access: Access) -> FastAPI:
    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    routes.install(app, services.build(OpenHost(home, access)))
    return app


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(bytes(range(256)) * 400)
    return path


@pytest.fixture(scope="module")
def standing(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    engine, home = SmallEngine(film), tmp_path_factory.mktemp("home")
    with served(engine.app) as engine_port, served(build(home, Access())) as port:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}{API}/", timeout=60) as browser:
            yield Bench(browser, engine, engine_port, home)
        engine.go_on.set()


@pytest.fixture
def bench(standing: Bench) -> Bench:
    standing.engine.requests.clear()
    standing.engine.go_on.clear()
    standing.engine.left.clear()
    leave_info(standing.home, standing.engine_port)
    return standing


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A WebUI that others can reach and that asks for no password; no engine runs."""
    app = build(tmp_path_factory.mktemp("home"), Access(public=True))
    with served(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}{API}/", timeout=60) as browser:
        yield browser


# --- through to the engine --------------------------------------------------------------------------------------------


def test_a_question_goes_through_with_the_token_and_nothing_of_the_webui(bench: Bench) -> None:
    secrets = {"Cookie": "access-token=abc", "Authorization": "Basic YTpi", "X-Wan-Token": "forged"}
    answer = bench.browser.get("jobs", params={"state": ["queued", "running"], "limit": "5"}, headers=secrets)
    assert answer.json()["path"] == "jobs"
    assert answer.json()["query"] == "state=queued&state=running&limit=5"
    arrived = bench.engine.requests[-1].headers
    assert arrived.getlist("x-wan-token") == [TOKEN]
    assert not {"cookie", "authorization", "origin", "referer"} & set(arrived)
    assert TOKEN not in str(answer.headers) + answer.text


def test_names_with_odd_letters_arrive_as_they_were(bench: Bench) -> None:
    answer = bench.browser.get("presets/caf%C3%A9%20%231%3F")
    assert answer.json()["path"] == "presets/café #1?"


def test_what_is_wrong_at_the_engine_comes_back_as_it_is(bench: Bench) -> None:
    answer = bench.browser.get("refused")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"title": "no", "status": 422}


@pytest.mark.parametrize(("asked", "first", "length"), [("bytes=10-19", 10, 10), ("bytes=102000-", 112, 400)])
def test_a_film_comes_in_parts_through_the_compression(bench: Bench, asked: str, first: int, length: int) -> None:
    headers = {"Range": asked, "Accept-Encoding": "gzip"}
    answer = bench.browser.get("jobs/a/files/film.mp4", headers=headers)
    assert answer.status_code == 206
    assert answer.headers["content-range"].endswith("/102400")
    assert len(answer.content) == length == int(answer.headers["content-length"])
    assert answer.content[0] == first


def test_head_tells_the_length_without_the_film(bench: Bench) -> None:
    answer = bench.browser.head("jobs/a/files/film.mp4")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "102400", b"")


def test_events_come_when_they_happen_and_not_later(bench: Bench) -> None:
    with bench.browser.stream("GET", "jobs/a/events", headers={"Accept": "text/event-stream"}) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "id: 1"
        assert not bench.engine.go_on.is_set()
        bench.engine.go_on.set()
        assert "data: second" in list(lines)
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_browser_that_leaves_ends_the_listening_at_the_engine(bench: Bench) -> None:
    with bench.browser.stream("GET", "jobs/a/events") as answer:
        next(answer.iter_lines())
    assert bench.engine.left.wait(60)


def test_an_upload_is_handed_on_in_blocks(bench: Bench) -> None:
    block = b"0123456789abcdef" * 4096
    headers = {"Content-Type": "application/octet-stream"}
    # POST starts the engine if there is none; here it finds the small one.
    answer = bench.browser.post("uploads", params={"name": "a.png"}, headers=headers, content=iter([block] * 50))
    assert answer.status_code == 201
    assert answer.json()["sha256"] == hashlib.sha256(block * 50).hexdigest()
    assert answer.json()["blocks"] > 10
    assert bench.browser.post("uploads", headers=headers, content=block).json()["size"] == len(block)


def test_an_answer_that_breaks_off_is_not_taken_for_whole(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, "uvicorn.error"), pytest.raises(httpx.RemoteProtocolError):
        bench.browser.get("broken")


def test_many_windows_at_once(bench: Bench) -> None:
    statuses: list[int] = []

    def listen() -> None:
        statuses.append(bench.browser.get("jobs/a/events").status_code)

    windows = [threading.Thread(target=listen) for _ in range(20)]
    for window in windows:
        window.start()
    limit = time.monotonic() + 60
    while len(bench.engine.requests) < len(windows):
        assert time.monotonic() < limit
        time.sleep(0.01)
    # All of them listen; none of them has to be at its end before another one is answered.
    assert bench.browser.get("jobs").status_code == 200
    assert statuses == []
    bench.engine.go_on.set()
    for window in windows:
        window.join()
    assert statuses == [200] * 20


# --- what is not let through ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["..%2F..%2Fdocs", "jobs/%2e%2e/%2e%2e/x", "hosts/a1111-1", "hosts"])
def test_ways_out_and_the_hosts_own_channel_are_not_there(bench: Bench, path: str) -> None:
    answer = bench.browser.request("POST", f"./{path}", headers=JSON, content="{}")
    assert answer.status_code == 404
    assert not bench.engine.requests


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (JSON, 200),
        ({"X-Wan": "1"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({}, 403),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 403),
        ({**JSON, "Origin": "http://evil.example"}, 403),
        ({**JSON, "Origin": "null"}, 403),
        ({**JSON, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**JSON, "Sec-Fetch-Site": "same-site"}, 403),
        ({**JSON, "Sec-Fetch-Site": "same-origin"}, 200),
        ({**JSON, "Origin": "https://films.example", "X-Forwarded-Host": "films.example"}, 200),
    ],
)
def test_only_our_page_changes_something(bench: Bench, headers: dict[str, str], status: int) -> None:
    answer = bench.browser.request("POST", "plans", headers=headers, content=b"{}")
    assert answer.status_code == status, answer.text
    origin = str(bench.browser.base_url).split("/wan")[0]
    assert bench.browser.post("plans", headers={**JSON, "Origin": origin}).status_code == 200


def test_reading_needs_no_header(bench: Bench) -> None:
    assert bench.browser.get("jobs", headers={"Origin": "http://evil.example"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "jobs/a"),
        ("POST", "engine/install"),
        ("POST", "engine/stop"),
        ("POST", "models/x"),
        ("POST", "downloads"),
        ("DELETE", "downloads/wan2.1-vae"),
    ],
)
def test_in_public_without_a_password_nothing_costly_is_done(public: httpx.Client, method: str, path: str) -> None:
    answer = public.request(method, path, headers=JSON, content="{}")
    assert answer.status_code == 403
    assert "--gradio-auth" in answer.json()["detail"]
    assert "--gradio-auth" in public.get("engine").json()["restriction"]


def test_the_engine_is_told_who_may_spend_no_money(standing: Bench, tmp_path: Path) -> None:
    leave_info(tmp_path, standing.engine_port)
    with served(build(tmp_path, Access(public=True))) as port:
        address = f"http://127.0.0.1:{port}{API}/storyboards"
        assert httpx.post(address, headers={**JSON, RESTRICTED_HEADER: ""}, content="{}").status_code == 200
    (told,) = standing.engine.requests[-1].headers.getlist(RESTRICTED_HEADER)
    assert "--gradio-auth" in told
    leave_info(standing.home, standing.engine_port)
    standing.browser.post("storyboards", headers={**JSON, RESTRICTED_HEADER: "forged"}, content="{}")
    assert RESTRICTED_HEADER.lower() not in standing.engine.requests[-1].headers


# --- without an engine ------------------------------------------------------------------------------------------------


def test_without_an_engine_looking_says_so_and_starts_nothing(bench: Bench) -> None:
    (bench.home / INFO_FILE).unlink()
    answer = bench.browser.get("jobs")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]
    assert not (bench.home / INFO_FILE).exists()


def test_a_file_left_by_a_killed_engine_is_no_engine(bench: Bench) -> None:
    with served(FastAPI()) as port:
        pass
    leave_info(bench.home, port)
    assert bench.browser.get("jobs").status_code == 503
    assert bench.browser.get("engine").json()["running"] is False


def test_another_engines_token_is_no_wrong_password(bench: Bench) -> None:
    leave_info(bench.home, bench.engine_port, token="of an engine before")
    assert bench.browser.get("jobs").status_code == 503


def test_the_engines_state_and_log(bench: Bench) -> None:
    state = bench.browser.get("engine").json()
    assert state["running"] is True
    assert state["install"]["steps"] == 4
    assert bench.browser.get("engine/log").text == ""
    (bench.home / "logs").mkdir()
    (bench.home / "logs/engine.log").write_text("line one\nline two\n", encoding="utf-8")
    assert bench.browser.get("engine/log").text == "line one\nline two"


def test_installing_the_routes_again_replaces_them(tmp_path: Path) -> None:
    app = build(tmp_path, Access(api_credentials=(("a", "b"),), api_only=True))
    before = len(app.routes)
    routes.install(app, services.build(OpenHost(tmp_path)))
    assert len(app.routes) == before - 1
