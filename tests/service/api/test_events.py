"""What happened to a job, as a list and as a stream that ends with the job."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from api_samples import FOX, ROOT, TOKEN
from wan_engine.home import TOKEN_HEADER
from wan_engine.service.api import events
from wan_engine.service.api.context import Context
from wan_engine.service.records import Progress

STREAM = {"Accept": "text/event-stream", TOKEN_HEADER: TOKEN}


def told(text: str) -> list[dict[str, Any]]:
    """The events of a stream."""
    blocks = [block for block in text.split("\n\n") if "data:" in block]
    return [json.loads(line[5:]) for block in blocks for line in block.splitlines() if line.startswith("data:")]


def queued(client: TestClient) -> str:
    answer = client.post(f"{ROOT}/renders", json={"settings": FOX})
    return str(answer.json()["jobs"][0]["id"])


def test_events_are_listed_in_pages(client: TestClient, film: dict[str, Any]) -> None:
    address = f"{ROOT}/jobs/{film['id']}/events"
    listed = client.get(address).json()
    assert [event["number"] for event in listed] == sorted(event["number"] for event in listed)
    assert listed[0]["data"]["state"] == "queued"
    assert listed[-1]["data"]["state"] == "done"
    rest = client.get(address, params={"after": listed[2]["number"], "limit": 2}).json()
    assert rest == listed[3:5]


def test_a_stream_tells_everything_and_ends(client: TestClient, film: dict[str, Any]) -> None:
    address = f"{ROOT}/jobs/{film['id']}/events"
    answer = client.get(address, headers=STREAM)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert told(answer.text) == client.get(address).json()
    last = told(answer.text)[-1]["number"]
    assert [
        event["number"] for event in told(client.get(address, headers={**STREAM, "Last-Event-ID": str(last - 1)}).text)
    ] == [last]
    assert client.get(address, headers={**STREAM, "Last-Event-ID": str(last)}).status_code == 204
    assert client.get(address, headers={**STREAM, "Last-Event-ID": "x"}).status_code == 422


def test_a_stream_follows_a_job(
    client: TestClient, context: Context, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEPALIVE_SECONDS", 0.2)
    job_id = queued(client)
    seen, pinged = "", threading.Event()

    def work() -> None:
        pinged.wait(20)
        context.store.claim("worker", "cpu", 60)
        context.store.record(job_id, "worker", Progress(message="half", kind="step", step=1, steps=2))
        context.store.finish(job_id, "worker", "done", result={})

    worker = threading.Thread(target=work)
    worker.start()
    with httpx.stream(
        "GET", f"http://127.0.0.1:{port}{ROOT}/jobs/{job_id}/events", headers=STREAM, timeout=20
    ) as answer:
        for text in answer.iter_text():
            seen += text
            if ": ping" in seen:
                pinged.set()
    worker.join()
    assert pinged.is_set()
    assert [event["kind"] for event in told(seen)] == ["state", "state", "step", "state"]


def test_a_stream_ends_with_the_engine(client: TestClient, context: Context, port: int) -> None:
    job_id = queued(client)
    threading.Timer(0.5, context.life.stop).start()
    answer = httpx.get(f"http://127.0.0.1:{port}{ROOT}/jobs/{job_id}/events", headers=STREAM, timeout=20)
    assert len(told(answer.text)) == 1
