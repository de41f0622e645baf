"""Who is let in and who is not: token, Host, Origin, kind, size, speed and shape of bodies."""

from __future__ import annotations

import logging
import select
import socket
import time

import pytest
from starlette.testclient import TestClient

from api_samples import FOX, ROOT, TOKEN
from wan_engine.home import TOKEN_HEADER
from wan_engine.service.api.security import JSON_BYTES, SCHEDULE_BYTES

PLANS = f"{ROOT}/plans"
PROBLEM = "application/problem+json"
KEYS = {"type", "title", "status", "detail", "error", "remedy", "problems"}


def test_the_token_lets_in(client: TestClient) -> None:
    answer = client.post(PLANS, json={"settings": FOX})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_without_the_token_nothing_is_told(client: TestClient) -> None:
    client.headers.pop(TOKEN_HEADER)
    for token in (None, "", "wrong", TOKEN + "x", TOKEN[:-1], "tök"):
        for path in (PLANS, f"{ROOT}/openapi.json", "/", f"{ROOT}/nothing", "/docs"):
            answer = client.get(path, headers={} if token is None else {TOKEN_HEADER: token.encode("utf-8")})
            assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM), (token, path)
            assert answer.json().keys() == KEYS
            assert TOKEN not in answer.text


def test_a_token_given_twice_is_none(client: TestClient) -> None:
    answer = client.get(f"{ROOT}/openapi.json", headers=[(TOKEN_HEADER, "other"), (TOKEN_HEADER, TOKEN)])
    assert answer.status_code == 401


def test_the_token_in_the_address_does_not_count(client: TestClient) -> None:
    client.headers.pop(TOKEN_HEADER)
    assert client.get(f"{ROOT}/openapi.json?token={TOKEN}&{TOKEN_HEADER}={TOKEN}").status_code == 401


def test_another_host_is_refused(client: TestClient) -> None:
    """A browser that was told that a foreign name leads to this machine sends that name."""
    for host in ("evil.example", "127.0.0.1.evil.example", "127.0.0.2", "localhost:80:80", "", "a@localhost"):
        assert client.post(PLANS, json={"settings": FOX}, headers={"Host": host}).status_code == 403, host
    for host in ("127.0.0.1", "localhost", "LOCALHOST:7860", "127.0.0.1:1", "[::1]:5"):
        assert client.post(PLANS, json={"settings": FOX}, headers={"Host": host}).status_code == 200, host


def test_pages_of_other_sites_are_refused(client: TestClient) -> None:
    for origin in ("http://127.0.0.1:7860", "http://localhost", "http://[::1]:7860"):
        assert client.post(PLANS, json={"settings": FOX}, headers={"Origin": origin}).status_code == 200, origin
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "http://[evil"):
        assert client.post(PLANS, json={"settings": FOX}, headers={"Origin": origin}).status_code == 403, origin


def test_a_form_of_another_site_fails(client: TestClient) -> None:
    """Even with the token: what a form can send is never taken."""
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = client.post(PLANS, content=b'{"settings": {}}', headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
        assert "application/json" in answer.json()["remedy"]


def test_a_body_without_a_kind_is_refused(client: TestClient) -> None:
    assert client.post(PLANS, content=b"{}").status_code == 415


WRONG = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe{",
    b'{"settings": {"fps": "\xff"}}',
    b'{"settings": {}} trailing',
    b"[" * 100_000,
    b'{"settings":' * 300 + b"1" + b"}" * 300,
    b'{"settings": {"a": ' + b"[" * 300 + b"]" * 300 + b"}}",
    b'{"settings": {"seed": ' + b"9" * 5000 + b"}}",
    b'{"settings": {"seed": 1e999}}',
    b'{"settings": {"seed": NaN}}',
    b'{"settings": {"prompts": {"0": "\\ud800"}}}',
    b'{"settings": {"\\ud800": 1}}',
    b'{"project": "0: \\ud800"}',
    b'{"settings": {"prompts": {"0": "a\\u0000b"}}}',
    b'{"settings": {"init_image": "a\\u0000b"}}',
    b'{"settings": {}, "project": "0: a"}',
    b'{"settings": {}, "extra": 1}',
    b'{"settings": []}',
    b'{"project": 5}',
)
"""Bodies that are no films, some made to hurt whoever reads them."""


def test_wrong_bodies_are_told_apart_from_right_ones(client: TestClient) -> None:
    for body in WRONG:
        for route in ("plans", "prompts", "renders"):
            answer = client.post(f"{ROOT}/{route}", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), (route, body[:50], answer.text)
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json()["detail"]


def test_a_giant_body_is_refused_by_what_it_says(client: TestClient) -> None:
    answer = client.post(PLANS, content=b" " * (SCHEDULE_BYTES + 1), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    answer = client.post(
        f"{ROOT}/values", content=b" " * (JSON_BYTES + 1), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == PROBLEM


def test_markup_in_a_prompt_comes_back_as_json_only(client: TestClient) -> None:
    prompt = "<script>alert(1)</script>"
    answer = client.post(PLANS, json={"settings": {**FOX, "prompts": {"0": prompt}}})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["plan"]["clips"][0]["prompt"] == prompt


def test_unknown_routes_and_methods(client: TestClient) -> None:
    answer = client.get(f"{ROOT}/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    answer = client.delete(PLANS)
    assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)
    assert answer.headers["allow"] == "POST"
    assert client.get(f"{ROOT}/openapi.json/").status_code == 404


def test_the_token_reaches_no_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.post(PLANS, json={"settings": FOX})
    client.post(PLANS, content=b"{", headers={"Content-Type": "application/json"})
    assert TOKEN not in caplog.text


def _raw(port: int, head: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send a request byte for byte, until it is answered; gives what is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        for piece in pieces:
            connection.sendall(piece)
            if select.select([connection], [], [], pause)[0]:
                break  # who goes on sending after that is cut off and may never see the answer
        answer = b""
        while block := connection.recv(65_536):
            answer += block
        return answer


HEAD = f"POST {PLANS} HTTP/1.1\nHost: 127.0.0.1\n{TOKEN_HEADER}: {TOKEN}\nContent-Type: application/json\n"


def test_a_slow_client_is_given_up(port: int) -> None:
    """A byte now and then does not keep a request open beyond the time for the whole body."""
    for _ in range(4):
        begun = time.monotonic()
        try:
            answer = _raw(port, HEAD + "Content-Length: 1000\n\n", *[b" "] * 6, pause=0.25)
        except ConnectionError:  # a byte that crossed the answer on its way: the kernel then drops the answer
            continue
        assert answer.startswith(b"HTTP/1.1 408")
        assert PROBLEM.encode() in answer
        assert time.monotonic() - begun < 5
        return
    pytest.fail("each of four slow clients was cut off without an answer")


def test_a_body_of_no_said_size_is_counted(port: int) -> None:
    chunk = b"%x\r\n" % 2**20 + b" " * 2**20 + b"\r\n"
    for _ in range(4):
        try:
            answer = _raw(port, HEAD + "Transfer-Encoding: chunked\n\n", *[chunk] * 9, b"0\r\n\r\n", pause=0.05)
        except ConnectionError:  # a chunk that crossed the answer on its way
            continue
        assert answer.startswith(b"HTTP/1.1 413")
        return
    pytest.fail("each of four endless bodies was cut off without an answer")


def test_a_client_that_leaves_is_no_error(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall((HEAD + "Content-Length: 1000\n\n{").replace("\n", "\r\n").encode())
    answer = _raw(
        port, f"GET {ROOT}/openapi.json HTTP/1.1\nHost: localhost\n{TOKEN_HEADER}: {TOKEN}\nConnection: close\n\n"
    )
    assert answer.startswith(b"HTTP/1.1 200")
