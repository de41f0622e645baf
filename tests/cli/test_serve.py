"""The engine as a process: one for a state folder, found by its file, ended in order, light."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api_samples import FOX, LONG
from engine_process import SCRIPTS, running_engine, second_start
from service_samples import wait_until
from wan_engine.home import INFO_FILE, read_info
from wan_engine.service.config import read_config
from wan_engine.service.records import Job
from wan_engine.service.store import JobStore

SECONDS_LONG = {**LONG, "max_frames": 1024}
"""A film of some seconds: it can be killed in its first one and still be finished."""


def recorded(home: Path, job_id: str) -> Job:
    """A job as it stands in the queue of an engine that has ended."""
    queue = JobStore(read_config(home).database)
    found = queue.get(job_id)
    queue.close()
    assert found is not None
    return found


def test_an_engine_from_start_to_end(tmp_path: Path) -> None:
    """It is found by a file of its owner alone, a second start leads to it, and it ends when it is asked to."""
    home = tmp_path / "home"
    with running_engine(home) as engine:
        assert stat.S_IMODE((home / INFO_FILE).stat().st_mode) == 0o600
        assert engine.http.get("/system").json()["pid"] == engine.process.pid
        again = second_start(home)
        assert again["started"] is False
        assert (again["port"], again["pid"]) == (engine.info.port, engine.process.pid)
        assert engine.http.post("/system/stop").status_code == 202
        assert engine.process.wait(30) == 0
    assert read_info(home) is None
    said = (tmp_path / "engine.out").read_text() + (home / "logs" / "engine.log").read_text()
    assert engine.info.address in said
    assert engine.info.token not in said


def test_it_ends_when_nobody_wants_anything(tmp_path: Path) -> None:
    with running_engine(tmp_path / "home", "--idle-minutes", "0.02") as engine:
        assert engine.process.wait(30) == 0
    assert read_info(tmp_path / "home") is None


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "wan_engine", "serve", "--home", str(tmp_path), "--port", port]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(SCRIPTS)})
    assert answer.returncode == 2
    assert f"port {port} cannot be used" in answer.stderr


def test_the_server_starts_light(tmp_path: Path) -> None:
    code = (
        "import sys, wan_engine.cli.app, wan_engine.cli.serve, wan_engine.service.server\n"
        "print(*{'torch', 'diffusers', 'transformers', 'av', 'cv2', 'gradio'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(SCRIPTS)})
    assert (answer.returncode, answer.stdout.split()) == (0, []), answer.stderr


@pytest.mark.slow
def test_a_stopped_engine_goes_on_with_its_film(tmp_path: Path) -> None:
    """SIGTERM gives the running film back within a step; the queue outlives the engine, and the next one goes on."""
    home = tmp_path / "home"
    with running_engine(home) as engine:
        job_id = engine.queue(LONG)
        wait_until(lambda: engine.job(job_id)["progress"]["steps_done"] > 20)
        waiting = engine.queue({**FOX, "seed": 6})
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(30) == 0
    back = recorded(home, job_id)
    assert (back.state, back.attempts) == ("queued", 0)
    with running_engine(home) as engine:
        wait_until(lambda: engine.job(job_id)["progress"]["steps_done"] > back.progress.steps_done)
        on = engine.job(job_id)
        assert (on["state"], on["attempts"], on["folder"]) == ("running", 1, back.folder)
        told = " ".join(event["message"] for event in engine.http.get(f"/jobs/{job_id}/events").json())
        assert "goes on from step" in told or "kept from before" in told
        assert engine.job(waiting)["state"] == "queued"
        engine.http.post(f"/jobs/{job_id}/cancel")
        assert engine.until(waiting, "done", "failed")["state"] == "done"


@pytest.mark.slow
def test_a_killed_engine_is_replaced(tmp_path: Path) -> None:
    """kill -9 leaves the file behind; the next engine takes its place and the film is finished."""
    home = tmp_path / "home"
    with running_engine(home) as engine:
        job_id = engine.queue(SECONDS_LONG)
        wait_until(lambda: engine.job(job_id)["progress"]["steps_done"])
        engine.process.kill()
        engine.process.wait()
        assert recorded(home, job_id).state == "running"
    assert read_info(home) == engine.info
    with running_engine(home) as second:
        assert second.info.token != engine.info.token
        assert second.until(job_id, "done", "failed")["state"] == "done"
