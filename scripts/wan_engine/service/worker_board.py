"""Which worker processes live: never two for a device, each with a sign of life, also an earlier server's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import psutil

from wan_engine.service.database import Database

ENTER = """
INSERT INTO workers (device, worker, pid, born, seen) VALUES (:device, :worker, :pid, :born, :now)
ON CONFLICT (device) DO UPDATE SET worker = excluded.worker, pid = excluded.pid, born = excluded.born,
    seen = excluded.seen
WHERE workers.seen < :stale RETURNING worker
"""
BEAT = "UPDATE workers SET seen = ? WHERE worker = ?"
LEAVE = "DELETE FROM workers WHERE worker = ? AND (device = ? OR ? = '')"
ALL = "SELECT device, worker, pid, born, ? - seen FROM workers ORDER BY device"

_KILL_SECONDS = 10
"""Longest wait for a killed process to be gone."""


@dataclass(frozen=True)
class WorkerInfo:
    """A worker process.

    born: when its process was made, by which it is told from a later one with its number.  silent: seconds since its
    last sign of life.
    """

    device: str
    worker: str
    pid: int
    born: float
    silent: float = 0.0

    def process(self) -> psutil.Process | None:
        """Its process; None if that has ended."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if same else None

    def ask_to_end(self) -> None:
        """Ask its process to end; a job that it has just taken goes back into the queue."""
        process = self.process()
        if process is not None:
            with contextlib.suppress(psutil.Error):
                process.terminate()

    def kill(self) -> None:
        """End its process at once and wait until it is gone; nothing happens when it is."""
        process, until = self.process(), time.monotonic() + _KILL_SECONDS
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        # Not process.wait(): it would take the exit code from whoever started the process.
        while self.process() is not None and time.monotonic() < until:
            time.sleep(0.02)


class WorkerBoard:
    """The workers that live.

    fresh: seconds after its last sign of life in which a worker counts as living.  clock: seconds since 1970.
    """

    def __init__(self, database: Database, fresh: float, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._fresh = fresh
        self._clock = clock

    def enter(self, info: WorkerInfo) -> bool:
        """Take the place of the device's worker. False: another one lives. Raises StorageError."""
        now = self._clock()
        values = {**asdict(info), "now": now, "stale": now - self._fresh}
        return self._database.first(ENTER, values) is not None

    def beat(self, worker: str) -> None:
        """A sign of life. Raises StorageError."""
        self._database.all(BEAT, (self._clock(), worker))

    def leave(self, worker: str, device: str = "") -> None:
        """The worker is gone from this device, or from all that it has. Raises StorageError."""
        self._database.all(LEAVE, (worker, device, device))

    def all(self) -> Sequence[WorkerInfo]:
        """Every worker that has not left, by device, also one that is dead. Raises StorageError."""
        return [WorkerInfo(*row) for row in self._database.all(ALL, (self._clock(),))]
