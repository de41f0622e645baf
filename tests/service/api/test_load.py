"""How quickly jobs are told while many clients ask and a film is rendered: real processes on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import poll_clients
from api_samples import FOX
from engine_process import Engine, running_engine
from service_samples import wait_until
from wan_engine.home import API_ROOT, TOKEN_HEADER
from yardstick import slowness

FILM = {
    **FOX,
    "steps": "1000",
    "max_frames": 1600,
    "width": 640,
    "height": 480,
    "prompts": {str(frame): f"scene {frame}" for frame in range(0, 1600, 16)},
}
"""A film of half a minute, less on a quick machine."""
FILMS = 10
"""So many are there to be rendered, one behind another, that they last for longer than the clients ask."""

CLIENTS, QUEUED, SECONDS = 50, 100, 10.0
MOST_MILLISECONDS = 50
"""Within it 95 of 100 answers must come when each client asks twice a second, on a machine of the usual pace."""

ROUNDS = 3
"""Tries: what else the machine does in one moment is not the engine's doing."""


def polled(engine: Engine, jobs: list[str], every: float) -> dict[str, Any]:
    """The figures of the clients, one for each of the first jobs."""
    wanted = {
        "address": engine.info.address + API_ROOT,
        "headers": {TOKEN_HEADER: engine.info.token},
        "jobs": [jobs[number % len(jobs)] for number in range(CLIENTS)],
        "every": every,
        "seconds": SECONDS,
    }
    command = [sys.executable, str(poll_clients.__file__)]
    answer = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True, timeout=120, check=True)
    values: dict[str, Any] = json.loads(answer.stdout)
    return values


@pytest.mark.slow
def test_many_clients_are_answered_quickly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    most = MOST_MILLISECONDS * slowness()
    with running_engine(tmp_path / "home") as engine:
        films = [engine.queue(FILM) for _ in range(FILMS)]
        text = json.dumps({"kind": "schedule", **FOX})
        files = [{"name": f"{number}.json", "text": text} for number in range(QUEUED)]
        answer = engine.http.post("/renders", json={"projects": files, "priority": -1})
        queued = [job["id"] for job in answer.json()["jobs"]]
        assert len(queued) == QUEUED
        wait_until(lambda: engine.job(films[0])["progress"]["steps_done"] > 0)
        for _ in range(ROUNDS):
            calm = polled(engine, [films[0], *queued], every=0.5)
            if calm["p95"] < most:
                break
        eager = polled(engine, [films[0], *queued], every=0.0)
        assert engine.job(films[-1])["state"] in ("queued", "running"), "the films were over before the clients"
        with capsys.disabled():
            sys.stdout.write(
                f"\n{CLIENTS} clients, each twice a second: {calm}\n{CLIENTS} clients as fast as they can: {eager}\n"
            )
        for film in reversed(films):
            engine.http.post(f"/jobs/{film}/cancel")
    assert calm["answers"] > CLIENTS * SECONDS / 0.5 * 0.8
    assert calm["p95"] < most
