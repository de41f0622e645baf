"""Starts a WebUI, a stand-in for one or the page of its own as a process, each with an engine of its own behind it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from wan_engine.home import API_ROOT, TOKEN_HEADER, EngineInfo, read_info

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
STANDIN = ROOT / "tests" / "hosts" / "standin.py"

_STOP_SECONDS = 30


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@dataclass
class Server:
    """A program that shows the tab.

    command: without the port.  home: folder of its engine's state.  log: where its words go.  path: where the page lies
    below the address.  start_seconds: how long it may take.
    """

    command: Sequence[str]
    home: Path
    log: Path
    folder: Path = ROOT
    path: str = "/"
    start_seconds: float = 90
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where the page with the tab is."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self) -> float:
        """Start and wait until its page answers; the seconds it took. Raises RuntimeError with its last words."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("WAN_", "GRADIO_"))}
        environ |= {"WAN_ENGINE_VENV": sys.prefix, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
        environ |= {"PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1"} | self.environ
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command, "--port", str(self.port)],
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - began > self.start_seconds:
                self.stop()
                raise RuntimeError(f"{self.command[1:]} did not start:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)
        return time.monotonic() - began

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.address, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End the program as Ctrl+C would; the engine goes on."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """End it and start it again at the same address."""
        self.stop()
        self.start()

    def engine(self) -> EngineInfo | None:
        """The engine that this program has started, if it has."""
        return read_info(self.home)

    def close(self) -> None:
        """End the program, its engine and the engine's workers."""
        self.stop()
        stop_engine(self.home)


def stop_engine(home: Path) -> None:
    """End the engine of this state folder and its workers, gently first."""
    info = read_info(home)
    if info is not None:
        address = f"{info.address}{API_ROOT}/system/stop"
        headers = {TOKEN_HEADER: info.token, "Content-Type": "application/json"}
        # It may have ended by itself.
        with contextlib.suppress(OSError):
            urllib.request.urlopen(urllib.request.Request(address, b"{}", headers, method="POST"), timeout=10).close()
    _, left = psutil.wait_procs(_processes_of(home), timeout=_STOP_SECONDS)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _processes_of(home: Path) -> list[psutil.Process]:
    """The engine and the workers of a state folder, which stands in their command lines."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(home) in words and any("wan_engine" in word or "wan-engine" in word for word in words):
            found.append(process)
    return found


def read_films(folder: Path) -> list[Path]:
    """The finished films below an output folder, oldest first."""
    return sorted(folder.rglob("*.mp4"), key=lambda path: path.stat().st_mtime)
