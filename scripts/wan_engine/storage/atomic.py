"""Writes files whole or not at all: a temporary name in the same folder, fsync, rename.

    write_json(places.plan, values)                 small files, at once
    with AtomicPath(places.film) as part: ...       files written by others, such as ffmpeg

A crash leaves the old file, or none, and at most a leftover named `<stem>.part<suffix>` or
`<stem>.<token>.part<suffix>`, which `remove_leftovers` clears away.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wan_engine.errors import StorageError

_REMEDIES = {
    errno.ENOSPC: "The disk is full: free some space or choose another folder",
    errno.EDQUOT: "Your quota on this disk is used up: free some space or choose another folder",
    errno.EROFS: "The disk is read-only: choose another folder",
    errno.EACCES: "Give yourself the right to write there or choose another folder",
    errno.EPERM: "Give yourself the right to write there or choose another folder",
    errno.ENAMETOOLONG: "Choose a shorter batch_name or output_dir",
    errno.ENOENT: "Its folder is gone: it must stay while the engine writes there",
}
_WINDOWS_WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between tries to replace a file that a virus scanner or a player holds open for a moment."""


def storage_error(path: Path, error: OSError, doing: str = "write") -> StorageError:
    """The error for the user when `path` cannot be written (or whatever `doing` says)."""
    remedy = _REMEDIES.get(error.errno or 0, "Choose another folder or check the disk")
    return StorageError(f"cannot {doing} {path}: {error.strerror or error}", remedy)


class AtomicPath:
    """The name under which another program writes a file that then appears whole under its own name.

    Used as a context manager it gives the temporary path, renames it at the end, and removes it when an exception
    passes. Work that outlives one block calls `commit` or `discard` itself. One writer at a time for each file.
    """

    def __init__(self, path: Path, token: str = "") -> None:
        self.path = path
        middle = f".{token}.part" if token else ".part"
        self.part = path.with_name(f"{path.stem}{middle}{path.suffix}")

    def __enter__(self) -> Path:
        return self.part

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()

    def commit(self) -> None:
        """Make the written file appear under its name. Raises StorageError; then the temporary file is gone."""
        try:
            with self.part.open("rb+") as written:
                os.fsync(written.fileno())
            _replace(self.part, self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            self.discard()
            raise storage_error(self.path, error) from error

    def discard(self) -> None:
        """Remove what was written; nothing happens when there is nothing."""
        try:
            self.part.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(self.part, error, "remove") from error


class WholeOrNothing(ABC):
    """A file written in pieces: as a context manager it is closed at the end and aborted when an exception passes."""

    @abstractmethod
    def close(self) -> None:
        """Make the file appear, whole."""

    @abstractmethod
    def abort(self) -> None:
        """Give up: the file never appears."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def _replace(source: Path, target: Path) -> None:
    for wait in _WINDOWS_WAITS if os.name == "nt" else ():
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(wait)
    source.replace(target)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; Windows cannot and need not."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file; several writers at once each leave a whole file. Raises StorageError."""
    target = AtomicPath(path, token=secrets.token_hex(4))
    with target as part:
        try:
            part.write_bytes(data)
        except OSError as error:
            raise storage_error(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file with the line ends as they stand in `text`. Raises StorageError.

    Half characters (lone surrogates, which JSON can smuggle in) become `?`.
    """
    write_bytes(path, text.encode("utf-8", "replace"))


def write_json(path: Path, values: Any) -> None:
    """Write JSON for people: indented, UTF-8. NaN and infinity are a ValueError. Raises StorageError."""
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def remove_leftovers(folder: Path) -> int:
    """Remove what a killed writer left in `folder` (not below it); gives their number. Raises StorageError.

    Only for a folder in which nothing is being written now.
    """
    leftovers = [path for path in folder.glob("*.part*") if path.stem.endswith(".part") or path.suffix == ".part"]
    for path in leftovers:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(path, error, "remove") from error
    return len(leftovers)
