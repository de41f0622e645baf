"""Remembers what files were found to be, until they change: SQLite in the state folder.

The cache only saves time. A damaged one is thrown away and made anew; one that another process holds, or that cannot be
written, is done without.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from wan_engine.models import component
from wan_engine.models.detect import Part
from wan_engine.models.files import shards, weight_files
from wan_engine.models.headers.read import INDEX_ENDING

CACHE_FILE = "catalog.sqlite3"
MOST_ROWS = 50_000
"""With more, what was not seen this time is forgotten."""

_TABLE = "CREATE TABLE IF NOT EXISTS parts (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, part TEXT NOT NULL)"
_WAIT_SECONDS = 2.0

log = logging.getLogger(__name__)

Known = dict[str, tuple[str, str]]
"""Stamp and part, as JSON, by path."""


def stamp_of(path: Path) -> str:
    """What changes when a file, an index's shards or a component's folder change: sizes, times, numbers of the files.

    Raises OSError or ModelError when one is missing.
    """
    files = [path]
    if path.is_dir():
        files = [path / component.CONFIG, *weight_files(path)]
    elif path.name.endswith(INDEX_ENDING):
        files = [path, *shards(path)]
    states = (file.stat() for file in files)
    # The time of change covers also permissions, and files that were given an old date.
    return json.dumps(
        [detector_version(), *((each.st_size, each.st_mtime_ns, each.st_ctime_ns, each.st_ino) for each in states)]
    )


@cache
def detector_version() -> str:
    """Changes with the code that tells what a file is."""
    folder = Path(component.__file__).parent
    digest = hashlib.sha256()
    for name in ("*.py", "headers/*.py", "convert/*.py", "lora/*.py"):
        for file in sorted(folder.glob(name)):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def read_cache(home: Path) -> Known:
    """What is remembered; nothing when there is no cache, or none that can be read."""
    file = home / CACHE_FILE
    if not file.is_file():
        return {}
    try:
        with closing(sqlite3.connect(file, timeout=_WAIT_SECONDS)) as connection:
            rows = connection.execute("SELECT path, stamp, part FROM parts").fetchall()
        return {str(path): (str(stamp), str(part)) for path, stamp, part in rows}
    except sqlite3.OperationalError as error:
        log.info("The catalog's cache %s cannot be read now: %s", file, error)
    except sqlite3.DatabaseError as error:
        log.warning("The catalog's cache %s is damaged and is made anew: %s", file, error)
        file.unlink(missing_ok=True)
    return {}


def write_cache(home: Path, changed: Mapping[str, tuple[str, str]], seen: Iterable[str], size: int) -> None:
    """Remember what was found out. seen: every path of this search.  size: rows there were before."""
    file = home / CACHE_FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=_WAIT_SECONDS)) as connection, connection:
            connection.execute(_TABLE)
            rows = [(path, stamp, part) for path, (stamp, part) in changed.items() if _is_text(path)]
            connection.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)", rows)
            if size + len(rows) > MOST_ROWS:
                kept = set(seen)
                gone = [(path,) for (path,) in connection.execute("SELECT path FROM parts") if path not in kept]
                connection.executemany("DELETE FROM parts WHERE path = ?", gone)
    except (OSError, sqlite3.Error) as error:
        log.info("What models are cannot be remembered in %s: %s", file, error)


def _is_text(path: str) -> bool:
    """Whether SQLite takes it: names of files need not be UTF-8 on Linux."""
    return path.encode("utf-8", "replace").decode("utf-8") == path


def part_text(part: Part) -> str:
    """A part as a row keeps it."""
    return json.dumps(part.as_dict())


def part_from(text: str) -> Part:
    """The part of a row. Raises ValueError, KeyError or TypeError for a row that is not one."""
    values: dict[str, Any] = json.loads(text)
    known = {entry.name: values[entry.name] for entry in fields(Part)}
    return Part(
        **{
            **known,
            "path": Path(known["path"]),
            "families": tuple(known["families"]),
            "notes": tuple(known["notes"]),
        }
    )
