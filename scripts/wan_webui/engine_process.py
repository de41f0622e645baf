"""Finds the running engine, starts it detached when it is needed, and replaces one of another version.

The engine leaves its port and token in the state folder (`wan_engine.home`); its own lock decides when two programs
start one at the same time: the second process ends, and both programs find the first.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from wan_engine import __version__
from wan_engine.errors import WanError
from wan_engine.home import API_ROOT, TOKEN_HEADER, EngineInfo, read_info
from wan_webui.installation import Installation
from wan_webui.process import start_detached, tail

OUTPUT_FILE = "logs/engine_output.log"
"""File in the state folder with what the engine prints, from its last start on: why it did not start, warnings."""

LOG_FILE = "logs/engine.log"
"""File in the state folder in which the engine itself tells what it does."""


class EngineUnavailable(WanError):
    """The engine does not run and cannot be started now; the remedy says what to do."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for an answer, for a start, for an old engine's end."""

    answer: float = 5.0
    start: float = 60.0
    stop: float = 20.0


class EngineProcess:
    """The engine of one state folder. outputs and model_roots are handed to an engine that is started."""

    def __init__(
        self,
        home: Path,
        installation: Installation,
        outputs: Path,
        model_roots: Sequence[Path] = (),
        patience: Patience = Patience(),
    ) -> None:
        self.home = home
        self._output = home / OUTPUT_FILE
        self._installation = installation
        self._outputs = outputs
        self._model_roots = tuple(model_roots)
        self._patience = patience
        self._starting = threading.Lock()

    def find(self) -> EngineInfo | None:
        """The engine if it runs and answers to its token, of whatever version; starts nothing."""
        info = read_info(self.home)
        return info if info and self._answers(info) else None

    def ensure(self) -> EngineInfo:
        """The running engine of this version, started if there is none. Raises EngineUnavailable."""
        info = self.find()
        if info and info.version == __version__:
            return info
        with self._starting:
            info = self.find()
            if info and info.version != __version__:
                self._stop(info)
                info = None
            return info or self._start()

    def stop(self) -> None:
        """End the engine gracefully; films in the making go on in their workers. Nothing if none runs."""
        with self._starting:
            info = self.find()
            if info:
                self._stop(info)

    def log(self, lines: int) -> str:
        """The last lines of what the engine tells and of what it prints."""
        told, printed = tail(self.home / LOG_FILE, lines), tail(self._output, lines)
        return "\n".join(filter(None, (told, printed)))

    def _answers(self, info: EngineInfo) -> bool:
        try:
            with connect(info, self._patience.answer) as connection:
                return connection.get("system").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _start(self) -> EngineInfo:
        if not self._installation.is_ready():
            state = self._installation.state()
            raise EngineUnavailable(f"The engine is not installed ({state.state})", state.message)
        command: list[str | Path] = [self._installation.python, "-m", "wan_engine", "serve", "--outputs", self._outputs]
        for root in self._model_roots:
            command += ["--models", root]
        environment = {**self._installation.environment(), "WAN_HOME": str(self.home)}
        try:
            process = start_detached(command, Path(__file__).resolve().parents[1], environment, self._output)
        except OSError as error:
            raise EngineUnavailable(f"The engine cannot be started: {error}", "Install the engine again") from error
        return self._wait_for_start(process)

    def _wait_for_start(self, process: subprocess.Popen[bytes]) -> EngineInfo:
        until = time.monotonic() + self._patience.start
        while time.monotonic() < until:
            ended = process.poll() is not None
            info = self.find()
            if info:
                return info
            if ended and process.returncode != 0:
                break
            time.sleep(0.1)
        reason = "ended at its start" if process.poll() is not None else "does not answer"
        raise EngineUnavailable(f"The engine {reason}:\n{tail(self._output)}", f"The whole log: {self._output}")

    def _stop(self, info: EngineInfo) -> None:
        with contextlib.suppress(httpx.HTTPError), connect(info, self._patience.answer) as connection:
            connection.post("system/stop", headers={"Content-Type": "application/json"})
        until = time.monotonic() + self._patience.stop
        while self._answers(info):
            if time.monotonic() > until:
                raise EngineUnavailable(
                    f"The engine of version {info.version} (process {info.pid}) does not end",
                    f"End process {info.pid}, then try again",
                )
            time.sleep(0.1)


def connect(info: EngineInfo, timeout: float) -> httpx.Client:
    """A connection to a running engine, its paths relative to the API's root. timeout: seconds for each step."""
    return httpx.Client(
        base_url=info.address + API_ROOT + "/",
        headers={TOKEN_HEADER: info.token},
        timeout=timeout,
        trust_env=False,
        verify=False,  # noqa: S501  plain HTTP on loopback; loading certificates takes 0.1 s
    )
