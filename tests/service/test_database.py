"""The database file: refused when it is none of ours, shared by threads, whole transactions."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from wan_engine.errors import StorageError
from wan_engine.service.database import SCHEMA_VERSION, Database


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(StorageError, match=r"jobs\.sqlite3.*not a database"):
        Database(path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StorageError, match="another version"):
        Database(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="jobs"):
        Database(tmp_path / "file" / "jobs.sqlite3")


def insert_two(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO hosts (id, seen, freed) VALUES ('a', 1, '[]')")
        connection.execute("INSERT INTO missing VALUES (1)")


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "jobs.sqlite3")
    with pytest.raises(StorageError, match="no such table"):
        insert_two(database)
    assert database.first("SELECT count(*) FROM hosts")["count(*)"] == 0  # type: ignore[index]
    database.close()


def test_several_threads_open_a_new_file_at_once(tmp_path: Path) -> None:
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(tmp_path / "jobs.sqlite3"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    for database in opened:
        assert database.all("SELECT * FROM jobs") == []
        database.close()
