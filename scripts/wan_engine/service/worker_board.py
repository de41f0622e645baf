"""Which worker processes live: one a device, each with a sign of life, also those that an earlier server started."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wan_engine.service.database import Database

ENTER = """
INSERT INTO workers (device, worker, pid, born, seen) VALUES (:device, :worker, :pid, :born, :now)
ON CONFLICT (device) DO UPDATE SET worker = excluded.worker, pid = excluded.pid, born = excluded.born,
    seen = excluded.seen
WHERE workers.seen < :stale RETURNING worker
"""
BEAT = "UPDATE workers SET seen = ? WHERE worker = ?"
LEAVE = "DELETE FROM workers WHERE worker = ?"
LIVE = "SELECT device, worker, pid, born FROM workers WHERE seen >= ? ORDER BY device"


@dataclass(frozen=True)
class WorkerInfo:
    """A worker process. born: when its process was made, by which it is told from a later one with its number."""

    device: str
    worker: str
    pid: int
    born: float


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
        values = {**vars(info), "now": now, "stale": now - self._fresh}
        return self._database.first(ENTER, values) is not None

    def beat(self, worker: str) -> None:
        """A sign of life. Raises StorageError."""
        self._database.all(BEAT, (self._clock(), worker))

    def leave(self, worker: str) -> None:
        """The worker is gone. Raises StorageError."""
        self._database.all(LEAVE, (worker,))

    def live(self) -> Sequence[WorkerInfo]:
        """The workers that live, by device. Raises StorageError."""
        return [WorkerInfo(*row) for row in self._database.all(LIVE, (self._clock() - self._fresh,))]
