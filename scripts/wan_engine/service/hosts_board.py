"""The hand-shake with WebUIs about GPU memory: a job asks, every WebUI that lives frees its model, the job goes on.

A WebUI says every two seconds that it lives and for which jobs it has freed its memory, and is told which jobs ask.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from wan_engine.service.database import Database

ASKED = "SELECT id FROM jobs WHERE state = 'running' AND asks_memory ORDER BY number"
WORK = "SELECT 1 FROM jobs WHERE state IN ('queued', 'running') LIMIT 1"
HEARD = """
INSERT INTO hosts (id, seen, freed, api) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, freed = excluded.freed, api = excluded.api
"""
FORGET = "DELETE FROM hosts WHERE seen < ?"
WAITING = """
SELECT id FROM hosts WHERE seen >= ? AND ? NOT IN (SELECT value FROM json_each(hosts.freed)) ORDER BY id
"""
API = """
SELECT api FROM hosts WHERE seen >= ? AND api IS NOT NULL ORDER BY json_extract(api, '$.on') DESC, seen DESC LIMIT 1
"""


@dataclass(frozen=True)
class HostApi:
    """A WebUI's own API. url: of the WebUI.  on: it was started with --api.  guarded: it asks for a password."""

    url: str
    on: bool
    guarded: bool


@dataclass(frozen=True)
class HostAnswer:
    """What a WebUI is told. asked: ids of running jobs that want the GPUs' memory, until they end.

    working: whether any job runs or waits: as long as it is true, the memory may soon be asked for again.
    """

    asked: tuple[str, ...]
    working: bool


class HostsBoard:
    """Which WebUIs live and what they have freed.

    fresh: seconds after its last word in which a WebUI counts as living.  clock: seconds since 1970.
    """

    def __init__(self, database: Database, fresh: float = 10.0, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._fresh = fresh
        self._clock = clock

    def heard(self, host: str, freed: Iterable[str] = (), api: HostApi | None = None) -> HostAnswer:
        """A WebUI says that it lives, for which jobs it has freed its memory, and of its API. Raises StorageError."""
        now, told, said = self._clock(), set(freed), json.dumps(asdict(api)) if api else None
        with self._database.transaction() as connection:
            asked = tuple(row[0] for row in connection.execute(ASKED))
            connection.execute(FORGET, (now - self._fresh,))
            connection.execute(HEARD, (host, now, json.dumps([job for job in asked if job in told]), said))
            return HostAnswer(asked, connection.execute(WORK).fetchone() is not None)

    def api(self) -> HostApi | None:
        """The API of a living WebUI, of one where it is on if there is one. Raises StorageError."""
        row = self._database.first(API, (self._clock() - self._fresh,))
        return HostApi(**json.loads(row[0])) if row else None

    def waiting(self, job_id: str) -> tuple[str, ...]:
        """The living WebUIs that have not yet freed their memory for this job. Raises StorageError."""
        return tuple(row[0] for row in self._database.all(WAITING, (self._clock() - self._fresh, job_id)))
