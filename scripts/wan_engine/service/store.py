"""The queue: jobs in the database, leased to workers, so that a dead worker's job comes back by itself.

A job is claimed by one statement, so exactly once, however many threads and processes try. The lease is renewed while
the work goes on; when it runs out the job is queued again, and its film goes on from its folder.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from wan_engine.errors import RenderError, WanError
from wan_engine.service import event_log
from wan_engine.service import job_sql as sql
from wan_engine.service.database import Database
from wan_engine.service.records import ENDED, STATES, Job, JobEvent, NewJob, Progress
from wan_engine.storage.names import timestring

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""Crashes of its worker after which a job fails: it would most likely take the next one down too."""

_FIELDS = tuple(entry.name for entry in fields(Job))
_JSON = ("settings", "notes", "folder", "progress", "result", "error")
"""Columns that hold JSON: text from anywhere, even with half characters that SQLite refuses, is kept as it is."""

Jobs = list[Job]


class JobStore:
    """Jobs that outlive every process. All methods may be called from any thread; they raise StorageError.

    clock: seconds since 1970, by which leases run out.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.database = Database(path)
        self.clock = clock

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def add(self, new: NewJob) -> Job:
        """Queue a job."""
        return self.add_batch([new])[0]

    def add_batch(self, new: Sequence[NewJob]) -> Jobs:
        """Queue jobs in this order, all or none."""
        with self.database.transaction() as connection:
            return [self._insert(connection, each) for each in new]

    def _insert(self, connection: sqlite3.Connection, new: NewJob) -> Job:
        now = self.clock()
        job_id = f"{timestring(datetime.fromtimestamp(now))}-{secrets.token_hex(4)}"
        texts = [_plain(text) for text in (new.title, new.batch)]
        values = [json.dumps(each) for each in (dict(new.settings), new.notes)]
        progress = json.dumps(asdict(Progress()))
        row = connection.execute(
            sql.INSERT, (job_id, new.kind, *texts, new.priority, new.device, *values, now, progress)
        ).fetchone()
        return self._changed(connection, row)

    def get(self, job_id: str) -> Job | None:
        """The job, or None."""
        row = self.database.first(sql.GET, (job_id,))
        return _job(row) if row else None

    def list(self, states: Iterable[str] = (), limit: int = 50, before: str | None = None) -> Jobs:
        """Jobs in these states (all, if none is named), the newest first. before: id of a job; only older ones."""
        wanted = json.dumps(list(states) or STATES)
        return [_job(row) for row in self.database.all(sql.LIST, {"states": wanted, "limit": limit, "before": before})]

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        return {**dict.fromkeys(STATES, 0), **{row[0]: row[1] for row in self.database.all(sql.COUNTS)}}

    def events(self, job_id: str, after: int = 0, limit: int = 1000) -> Sequence[JobEvent]:
        """Events of a job with higher numbers than `after`, in order."""
        return event_log.read(self.database, job_id, after, limit)

    def append_event(self, job_id: str, kind: str, message: str, data: Mapping[str, Any] | None = None) -> int:
        """Note something that happened to a job; gives the event's number."""
        with self.database.transaction() as connection:
            return event_log.append(connection, job_id, self.clock(), kind, {**(data or {}), "message": message})

    # What workers call.

    def claim(self, worker: str, device: str, lease_seconds: float, auto: bool = True) -> Job | None:
        """Take the first job for this device: highest priority, then first come. auto: also one for any device."""
        now = self.clock()
        values = {"worker": worker, "device": device, "auto": auto, "now": now, "until": now + lease_seconds}
        if self.database.first(sql.NEXT, values) is None:  # idle workers look often and must not hold up writers
            return None
        with self.database.transaction() as connection:
            row = connection.execute(sql.CLAIM, values).fetchone()
            return self._changed(connection, row) if row else None

    def renew(self, job_id: str, worker: str, lease_seconds: float) -> bool:
        """Lengthen the lease. True: stop, for the user wants it or the job is no longer this worker's."""
        row = self.database.first(sql.RENEW, (self.clock() + lease_seconds, job_id, worker))
        return row is None or row["cancel_requested"] is not None

    def stop_wanted(self, job_id: str, worker: str) -> bool:
        """As `renew`, only asked."""
        row = self.database.first(sql.STOP_WANTED, (job_id, worker))
        return row is None or row["cancel_requested"] is not None

    def record(self, job_id: str, worker: str, progress: Progress, data: Mapping[str, Any] | None = None) -> bool:
        """Note where the film stands, also as an event, with `data`. False: the job is no longer this worker's."""
        values = asdict(progress)
        with self.database.transaction() as connection:
            if connection.execute(sql.RECORD, (json.dumps(values), job_id, worker)).fetchone() is None:
                return False
            event_log.append(connection, job_id, self.clock(), values.pop("kind"), {**values, **(data or {})})
            return True

    def set_folder(self, job_id: str, worker: str, folder: Path) -> None:
        """Note where the film lies, so that it can be gone on with."""
        self.database.all(sql.SET_FOLDER, (json.dumps(str(folder)), job_id, worker))

    def ask_memory(self, job_id: str, worker: str) -> None:
        """Ask the WebUIs to free their GPUs for as long as this job runs."""
        self.database.all(sql.ASK_MEMORY, (job_id, worker))

    def add_notes(self, job_id: str, notes: Iterable[str]) -> None:
        """Add what the user should know about the job, each once."""
        with self.database.transaction() as connection:
            row = connection.execute(sql.NOTES, (job_id,)).fetchone()
            if row is not None:
                together = list(dict.fromkeys([*json.loads(row[0]), *notes]))
                connection.execute(sql.SET_NOTES, (json.dumps(together), job_id))

    def finish(
        self,
        job_id: str,
        worker: str,
        state: str,
        result: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> Job | None:
        """End a job as done, failed or cancelled. None: it is no longer this worker's, and nothing changes."""
        if state not in ENDED:
            raise ValueError(f"{state!r} is no state in which a job ends")
        return self._change(
            sql.FINISH, {"id": job_id, "worker": worker, "now": self.clock(), **_ending(state, result, error)}
        )

    def release(self, job_id: str, worker: str) -> Job | None:
        """Put the job back into the queue, in order: its film goes on later. One that is to be cancelled ends."""
        values = {"id": job_id, "worker": worker, "now": self.clock(), "unspent": 1}
        return self._change(sql.RELEASE, values, "given back: what is on disk is kept")

    # What users ask for.

    def cancel(self, job_id: str) -> Job | None:
        """End a queued job at once; ask the worker of a running one to stop. None: there is no such job."""
        now = self.clock()
        with self.database.transaction() as connection:
            row = connection.execute(sql.CANCEL_QUEUED, (now, job_id)).fetchone()
            if row is None:
                row = connection.execute(sql.CANCEL_RUNNING, (now, job_id)).fetchone()
            if row is not None:
                return self._changed(connection, row, "stopping after this step" if row["state"] == "running" else "")
        return self.get(job_id)

    def resume(self, job_id: str) -> Job | None:
        """Queue a failed or cancelled job again; its film goes on where it stopped. None: it is not in such a state."""
        return self._change(sql.RESUME, (job_id,))

    def set_priority(self, job_id: str, priority: int) -> Job | None:
        """Change a job's place in the queue: higher goes first. None: there is no such job."""
        self.database.all(sql.SET_PRIORITY, (priority, job_id))
        return self.get(job_id)

    def delete(self, job_id: str) -> bool:
        """Forget a job and its events. False: there is none, or it is running."""
        return self.database.first(sql.DELETE, (job_id,)) is not None

    # What the supervisor needs.

    def reap_expired(self, now: float | None = None, living: Collection[str] = ()) -> Jobs:
        """Take their jobs from dead workers: queued again, or ended if cancelled or crashed too often.

        living: workers that are known to live and keep theirs, such as one that is held up by a slow disk.
        """
        values = (self.clock() if now is None else now,)
        if self.database.first(sql.EXPIRED, values) is None:
            return []
        with self.database.transaction() as connection:
            expired = [_job(row) for row in connection.execute(sql.EXPIRED, values)]
            return [self._taken_back(connection, job) for job in expired if job.worker not in living]

    def _taken_back(self, connection: sqlite3.Connection, job: Job) -> Job:
        if job.cancel_requested or job.attempts < MOST_ATTEMPTS:
            message = "its worker ended unexpectedly: what is on disk is kept"
            values = {"id": job.id, "worker": job.worker, "now": self.clock(), "unspent": 0}
            return self._changed(connection, connection.execute(sql.RELEASE, values).fetchone(), message)
        ending = _ending("failed", error=_crashed(job).as_dict())
        values = {"id": job.id, "worker": job.worker, "now": self.clock(), **ending}
        return self._changed(connection, connection.execute(sql.FINISH, values).fetchone())

    def overdue(self, seconds: float) -> Jobs:
        """Running jobs whose wish to be stopped is older than `seconds`."""
        return [_job(row) for row in self.database.all(sql.OVERDUE, (self.clock() - seconds,))]

    def busy_workers(self) -> set[str]:
        """The workers that have a job."""
        return {row[0] for row in self.database.all(sql.BUSY)}

    def wanted_devices(self) -> dict[str, int]:
        """The devices that queued jobs name, with the number of jobs."""
        return {row[0]: row[1] for row in self.database.all(sql.WANTED)}

    def fail_queued(self, device: str, error: WanError) -> Jobs:
        """Fail the queued jobs that name this device, for it cannot be used."""
        with self.database.transaction() as connection:
            values = (json.dumps(error.as_dict()), self.clock(), device)
            rows = connection.execute(sql.FAIL_QUEUED, values).fetchall()
            return [self._changed(connection, row) for row in rows]

    def names(self, text: str) -> bool:
        """Whether the settings of any job hold this text, such as the name of an upload."""
        return self.database.first(sql.NAMES, (json.dumps(text)[1:-1],)) is not None  # as it stands in their JSON

    def old(self, days: float, keep: int) -> Sequence[str]:
        """Ids of jobs that ended more than `days` ago, or before the latest `keep` that ended."""
        before = self.clock() - days * 86_400
        return [row[0] for row in self.database.all(sql.OLD, {"before": before, "keep": keep})]

    def _change(self, statement: str, values: Any, message: str = "") -> Job | None:
        with self.database.transaction() as connection:
            row = connection.execute(statement, values).fetchone()
            return self._changed(connection, row, message) if row else None

    def _changed(self, connection: sqlite3.Connection, row: sqlite3.Row, message: str = "") -> Job:
        """The job of a row that was just changed, its new state told as an event."""
        job = _job(row)
        event_log.append(connection, job.id, self.clock(), "state", {"message": message, "state": job.state})
        return job


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in _FIELDS}
    for name in _JSON:
        values[name] = json.loads(values[name]) if values[name] is not None else None
    flags = {name: bool(values[name]) for name in ("cancel_requested", "asks_memory")}
    return Job(**{**values, **flags, "notes": tuple(values["notes"]), "progress": Progress(**values["progress"])})


def _plain(text: str) -> str:
    """Text without half characters, which SQLite refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _ending(
    state: str, result: Mapping[str, Any] | None = None, error: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    packed = {"result": result, "error": error}
    return {"state": state, **{name: json.dumps(value) if value else None for name, value in packed.items()}}


def _crashed(job: Job) -> RenderError:
    message = f"the process that rendered it ended unexpectedly {job.attempts} times"
    return RenderError(message, "See the job's log and the free memory, then resume it: what is finished is kept")
