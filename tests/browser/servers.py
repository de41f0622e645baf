"""Starts a WebUI, a stand-in for one or the page of its own as a process, each with an engine of its own behind it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from browser.host_environments import GRADIO_3, GRADIO_4, python_of
from wan_engine.home import API_ROOT, TOKEN_HEADER, EngineInfo, read_info

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
STANDIN = ROOT / "tests" / "hosts" / "standin.py"
DEFORUM = ROOT / "tests" / "hosts" / "deforum"
"""An extension with the tab of Deforum, as far as ours reads it."""

GRADIO_OF = {"a1111": GRADIO_3, "reforge": GRADIO_3, "forge": GRADIO_4, "neo": GRADIO_4}
"""The environment of each WebUI's stand-in."""

_STOP_SECONDS = 30


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@dataclass
class Server:
    """A program that shows the tab.

    command: without the port.  home: folder of its engine's state.  log: where its words go.  ready: what it writes
    when it is up.  broken: what it writes if it never will be.  path: where the page lies below the address.
    start_seconds: how long it may take.
    """

    command: Sequence[str]
    home: Path
    log: Path
    folder: Path = ROOT
    ready: str = "Startup time"
    broken: Sequence[str] = ()
    path: str = "/"
    start_seconds: float = 180
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where the page with the tab is."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self) -> float:
        """Start and wait until it is up; the seconds it took. Raises RuntimeError with its last words.

        It is not asked for its page meanwhile: A1111 and reForge fail when a request comes while they add their API.
        """
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("WAN_", "GRADIO_"))}
        environ |= {"WAN_ENGINE_VENV": sys.prefix, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
        environ |= {"PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1"} | self.environ
        began = time.monotonic()
        self.log.touch()
        written = self.written()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command, "--port", str(self.port)],
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.wait_for_start(written)
        return time.monotonic() - began

    def written(self) -> int:
        """Bytes that it has written so far."""
        return self.log.stat().st_size

    def says_more(self, written: int, seconds: float = 20) -> bool:
        """Whether it writes anything beyond so many bytes in this time."""
        until = time.monotonic() + seconds
        while self.written() <= written and time.monotonic() < until:
            time.sleep(0.1)
        return self.written() > written

    def wait_for_start(self, written: int) -> None:
        """Wait until it says that it is up after so many bytes. Raises RuntimeError with its last words."""
        until = time.monotonic() + self.start_seconds
        while not self._is_up(words := self.log.read_bytes()[written:].decode(errors="replace")):
            ended = self._process is None or self._process.poll() is not None
            broken = next((mark for mark in self.broken if mark in words), "")
            if ended or broken or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self.command[1:]} did not start: {broken}\n{words[-3000:]}")
            time.sleep(0.1)

    def _is_up(self, words: str) -> bool:
        if self.ready not in words:
            return False
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

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

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside, its engine's workers stand still: what they make is not over before it was looked at.

        The engine goes on answering, and waits about a minute for a worker that gives no sign of life.
        """
        workers = [each for each in _processes_of(self.home) if "wan_engine.service.worker" in each.cmdline()]
        for each in workers:
            each.suspend()
        try:
            yield
        finally:
            for each in workers:
                each.resume()

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
    """The engine of a state folder, which has it in its environment, and its workers, which have it as an argument."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if not any("wan_engine" in word for word in words):
            continue
        # Others' processes do not show their environment.
        with contextlib.suppress(psutil.Error):
            if str(home) in words or process.environ().get("WAN_HOME") == str(home):
                found.append(process)
    return found


def standin(kind: str, folder: Path, *flags: str, path: str = "/") -> Server:
    """A stand-in for this WebUI with its data in a folder; Deforum is installed there."""
    data = folder / "data"
    (data / "extensions").mkdir(parents=True, exist_ok=True)
    (data / "extensions" / "deforum").symlink_to(DEFORUM, target_is_directory=True)
    command = [str(python_of(GRADIO_OF[kind])), str(STANDIN), "--host", kind, "--data", str(data), *flags]
    return Server(command, data / "models" / "wan" / "state", folder / "log.txt", path=path)


def alone(folder: Path, *flags: str, path: str = "/") -> Server:
    """The page of its own, with state and films in a folder."""
    home = folder / "state"
    command = [sys.executable, "-m", "wan_webui.standalone", "--no-browser", "--outputs", str(folder / "films"), *flags]
    environ = {"WAN_HOME": str(home), "PYTHONPATH": str(SCRIPTS)}
    return Server(command, home, folder / "log.txt", ready="Wan is at", path=path, environ=environ)
