"""One worker process as its server holds it: started, asked to stop through its stdin, its last words read."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from wan_engine.service.config import ServiceConfig
from wan_engine.service.worker import STOP
from wan_engine.storage.atomic import storage_error

_TAIL_BYTES = 2000
"""How much of a worker's last words is read."""


class WorkerProcess:
    """A worker for one device. auto: it also takes jobs that name no device. Raises StorageError."""

    def __init__(self, config: ServiceConfig, device: str, auto: bool) -> None:
        self.device = device
        self.entered = False
        self._log: Path = config.logs / f"worker-{device.replace(':', '-')}.log"
        # -P: a file named torch.py in the folder that the server was started in is not imported.
        command = [sys.executable, "-P", "-m", "wan_engine.service.worker", "--home", str(config.home)]
        command += ["--device", device, "--lifeline", *(["--auto"] if auto else [])]
        try:
            with self._log.open("wb") as words:
                self._process = subprocess.Popen(  # noqa: S603
                    command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=words, **_apart()
                )
        except OSError as error:
            raise storage_error(self._log, error, "start a worker that writes") from error

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ended(self) -> int | None:
        """The exit code; None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._hang_up()
        return code

    def stop(self) -> None:
        """Ask it to give its job back and end."""
        if self.ended() is not None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it may just have ended by itself
            self._process.stdin.write(STOP)
            self._process.stdin.flush()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, after at most this time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._hang_up()
        return True

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def last_words(self) -> str:
        """The end of what it wrote to stderr."""
        try:
            with self._log.open("rb") as words:
                words.seek(max(0, self._log.stat().st_size - _TAIL_BYTES))
                return words.read().decode("utf-8", "replace").strip()
        except OSError as error:
            raise storage_error(self._log, error, "read") from error

    def _hang_up(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()


def _apart() -> dict[str, Any]:
    """How a process is started that Ctrl-C in the server's terminal, or the terminal's end, does not reach."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
