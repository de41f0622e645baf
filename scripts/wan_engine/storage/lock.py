"""One process at a time works in a folder; a killed one's lock goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wan_engine.errors import StorageError

LOCK_NAME = ".lock"


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder. Raises StorageError at once when another process holds it."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK_NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StorageError(f"{folder} is being worked on by another process", "Wait for it or stop it") from error
    try:
        yield
    finally:
        lock.release()
