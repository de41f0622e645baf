"""Hashes of files and of plain values, to tell whether something is still what it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from wan_engine.storage.atomic import storage_error


def hash_bytes(data: bytes) -> str:
    """SHA-256 of bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content. Raises StorageError."""
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise storage_error(path, error, "read") from error


def value_hash(values: Any) -> str:
    """SHA-256 of JSON-able values; the order of keys does not matter. TypeError or ValueError for other values."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hash_bytes(text.encode("ascii"))
