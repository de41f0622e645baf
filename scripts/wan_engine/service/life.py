"""The life of an engine: one for each state folder, known by a file only its owner can read, ended when idle."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from wan_engine.errors import StorageError
from wan_engine.home import INFO_FILE, EngineInfo, read_info
from wan_engine.storage.atomic import AtomicPath, storage_error

LOCK_FILE = "engine.lock"
"""File in the state folder that the running engine holds locked."""

_TRY_SECONDS = 0.2
"""Between two tries to become the engine, while another one is starting or ending."""
TURN_SECONDS = 30.0
"""Longest wait for another engine that is starting or ending."""


class AlreadyRunning(Exception):
    """Another engine works for this state folder; `info` says where."""

    def __init__(self, info: EngineInfo) -> None:
        self.info = info
        super().__init__(f"an engine runs at {info.address}")


def new_token() -> str:
    """A token that cannot be guessed, for one start."""
    return secrets.token_urlsafe(32)


@contextmanager
def only_engine(home: Path, wait_seconds: float = TURN_SECONDS) -> Iterator[None]:
    """Be the engine of this state folder; a killed one's lock goes with it.

    Raises AlreadyRunning when another one is, StorageError when it neither says where nor ends within the wait.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / LOCK_FILE)
        _acquire(lock, home, time.monotonic() + wait_seconds)
    except OSError as error:
        raise storage_error(home / LOCK_FILE, error) from error
    try:
        # What a killed engine left would lead clients to a port that is someone else's by now.
        forget_info(home)
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, home: Path, until: float) -> None:
    while True:
        try:
            lock.acquire(timeout=_TRY_SECONDS)
            return
        except Timeout as error:
            info = read_info(home)
            if info is not None:
                raise AlreadyRunning(info) from error
            if time.monotonic() > until:
                message = f"another engine holds {home} and does not answer"
                raise StorageError(message, "End that process, or set WAN_HOME to another folder") from error


def write_info(home: Path, info: EngineInfo) -> None:
    """Let clients of the same user find the engine. Raises StorageError."""
    path = home / INFO_FILE
    with AtomicPath(path, token=secrets.token_hex(4)) as part:
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(info), file)
        except OSError as error:
            raise storage_error(path, error) from error


def forget_info(home: Path) -> None:
    """Say no longer where the engine is. Raises StorageError."""
    path = home / INFO_FILE
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error, "remove") from error


class Life:
    """Whether the engine shall go on. May be used from any thread.

    clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._last = clock()
        self._open = 0

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """A client is being answered."""
        with self._lock:
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                self._last = self._clock()

    def idle_seconds(self) -> float:
        """Since when nobody was answered; 0 while somebody is."""
        with self._lock:
            return 0.0 if self._open else self._clock() - self._last

    def stop(self) -> None:
        """End the engine soon; also called from signal handlers."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the engine is about to end."""
        return self._stop.is_set()
