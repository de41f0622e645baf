"""A real engine process for tests: started with a state folder of its own, asked over HTTP, always ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from service_samples import wait_until
from wan_engine.home import API_ROOT, TOKEN_HEADER, EngineInfo, read_info

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@dataclass(frozen=True)
class Engine:
    """A running engine. home: its state folder.  http: a client with its token."""

    process: subprocess.Popen[str]
    home: Path
    info: EngineInfo
    http: httpx.Client

    def queue(self, settings: dict[str, Any]) -> str:
        """Ask for a film; gives its job's id."""
        answer = self.http.post("/renders", json={"settings": settings})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobs"][0]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as it stands."""
        values: dict[str, Any] = self.http.get(f"/jobs/{job_id}").json()
        return values

    def until(self, job_id: str, *states: str) -> dict[str, Any]:
        """The job, once it is in one of these states."""
        found: dict[str, Any] = wait_until(lambda: (job := self.job(job_id))["state"] in states and job, 120)
        return found


def serve_command(home: Path, *flags: str) -> list[str]:
    """The command that starts an engine with this state folder."""
    own = ["--home", str(home), "--outputs", str(home.parent / "films")]
    return [sys.executable, "-m", "wan_engine", "serve", *own, *flags]


@contextmanager
def running_engine(home: Path, *flags: str) -> Iterator[Engine]:
    """Start an engine and wait until it answers; it is stopped at the end, if it has not ended itself."""
    # Of its own will it reaches no hub of models, whatever a test makes it do.
    environment = {"HF_HUB_OFFLINE": "1", **os.environ, "PYTHONPATH": str(SCRIPTS)}
    # Its words go into a file: a pipe that nobody reads would stop it.
    with (home.parent / "engine.out").open("a+") as out:
        process = subprocess.Popen(serve_command(home, *flags), stdout=out, stderr=out, text=True, env=environment)
        try:
            info = wait_until(lambda: process.poll() is not None or _info_of(process, home), 60)
            assert isinstance(info, EngineInfo), out.seek(0) or out.read()
            with httpx.Client(
                base_url=info.address + API_ROOT, headers={TOKEN_HEADER: info.token}, timeout=60
            ) as client:
                yield Engine(process, home, info, client)
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _info_of(process: subprocess.Popen[str], home: Path) -> EngineInfo | None:
    """What the file says, once it is this process's own and not what a killed one left."""
    info = read_info(home)
    return info if info is not None and info.pid == process.pid else None


def second_start(home: Path, *flags: str) -> dict[str, Any]:
    """Start another engine with the same state folder; gives what it says as JSON."""
    answer = subprocess.run(
        serve_command(home, "--json", *flags),
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        check=True,
    )
    values: dict[str, Any] = json.loads(answer.stdout)
    return values
