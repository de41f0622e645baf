"""What happened to each job: numbered events in the database, bounded in number."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from wan_engine.service.database import Database
from wan_engine.service.records import JobEvent

MOST_EVENTS = 1000
"""Events kept of a job. Beyond it the oldest steps go first, then the oldest of all."""

_TRIM_EVERY = 64
"""Events between two trims; so many more than MOST_EVENTS may be there."""

NEXT_NUMBER = "UPDATE jobs SET last_event = last_event + 1 WHERE id = ? RETURNING last_event"
APPEND = "INSERT INTO events (job_id, number, time, kind, data) VALUES (?, ?, ?, ?, ?)"
READ = "SELECT job_id, number, time, kind, data FROM events WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?"
TRIM = """
DELETE FROM events WHERE job_id = :job AND number IN (
    SELECT number FROM events WHERE job_id = :job ORDER BY kind != 'step', number
    LIMIT max(0, (SELECT count(*) FROM events WHERE job_id = :job) - :most))
"""


def append(connection: sqlite3.Connection, job_id: str, time: float, kind: str, data: Mapping[str, Any]) -> int:
    """Add an event inside a transaction; gives its number, 0 when there is no such job. data: with `message`."""
    row = connection.execute(NEXT_NUMBER, (job_id,)).fetchone()
    if row is None:
        return 0
    number: int = row[0]
    connection.execute(APPEND, (job_id, number, time, kind, json.dumps(data)))
    if number % _TRIM_EVERY == 0:
        connection.execute(TRIM, {"job": job_id, "most": MOST_EVENTS})
    return number


def read(database: Database, job_id: str, after: int, limit: int) -> list[JobEvent]:
    """Events with higher numbers than `after`, in order."""
    return [_event(row) for row in database.all(READ, (job_id, after, limit))]


def _event(row: sqlite3.Row) -> JobEvent:
    data = json.loads(row["data"])
    return JobEvent(row["job_id"], row["number"], row["time"], row["kind"], data.pop("message", ""), data)
