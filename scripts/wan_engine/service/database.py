"""The SQLite file of the service: its tables, one connection a thread, whole transactions, errors for people."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wan_engine.errors import StorageError
from wan_engine.storage.atomic import storage_error

Values = Sequence[Any] | Mapping[str, Any]

SCHEMA_VERSION = 4
"""Written into the file; a file of another version is refused."""

BUSY_MILLISECONDS = 15_000
"""Longest wait for another thread or process that writes. Each transaction here takes milliseconds."""

SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    batch TEXT NOT NULL,
    priority INTEGER NOT NULL,
    device TEXT NOT NULL,
    settings TEXT NOT NULL,
    notes TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    folder TEXT NOT NULL DEFAULT '""',
    progress TEXT NOT NULL,
    result TEXT,
    error TEXT,
    cancel_requested REAL,
    worker TEXT NOT NULL DEFAULT '',
    lease_until REAL,
    asks_memory INTEGER NOT NULL DEFAULT 0,
    last_event INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_queue ON jobs (state, priority DESC, number);
CREATE TABLE events (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE TABLE workers (
    device TEXT PRIMARY KEY,
    worker TEXT NOT NULL,
    pid INTEGER NOT NULL,
    born REAL NOT NULL,
    seen REAL NOT NULL
);
CREATE TABLE hosts (id TEXT PRIMARY KEY, seen REAL NOT NULL, freed TEXT NOT NULL, api TEXT);
"""


class Database:
    """One SQLite file, used by many threads and processes at once.

    Raises StorageError, here and in every method, when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        from filelock import FileLock

        self.path = path
        self._guard = threading.Lock()
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Two processes that switch a new file to WAL at once fail, whatever they would wait.
            with FileLock(path.with_name(path.name + ".setup.lock")), self.transaction() as connection:
                self._set_up(connection)
        except OSError as error:
            raise storage_error(path, error) from error

    def _set_up(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            message = f"{self.path} was written by another version of the engine (schema {version})"
            raise StorageError(message, "Use that version, or move the file away: films stay, only the list is lost")

    def all(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """Every row of one statement, which is a transaction by itself."""
        with self._said():
            return self._connection().execute(sql, values).fetchall()

    def first(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """The first row of one statement, or None."""
        return next(iter(self.all(sql, values)), None)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements, all or none; no other writes between them."""
        with self._said():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connections of all threads; none may be using one."""
        with self._guard:
            while self._connections:
                self._connections.popitem()[1].close()

    def _connection(self) -> sqlite3.Connection:
        thread = threading.current_thread()
        with self._guard:
            if thread not in self._connections:
                for ended in [each for each in self._connections if not each.is_alive()]:
                    self._connections.pop(ended).close()
                self._connections[thread] = self._connect()
            return self._connections[thread]

    def _connect(self) -> sqlite3.Connection:
        # Transactions are begun here, not by the module; a thread that is gone leaves its connection to be closed.
        connection = sqlite3.connect(
            self.path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # With WAL this loses no more than the last moments in a power cut, and nothing when a process is killed.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            message = f"the job database {self.path} cannot be used: {error}"
            raise StorageError(message, "Check the disk; a damaged file can be moved away, films stay") from error
