"""Reads the headers of many files: in processes beside this one when there are many, for Python reads one at a time.

python -m wan_engine.models.catalog.reading is such a process: a JSON list of paths in, one of parts out.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.media.tools import quiet_start
from wan_engine.models.catalog.cache import part_from, part_text
from wan_engine.models.component import detect_component
from wan_engine.models.detect import Part
from wan_engine.models.headers.header import DOWNLOAD_AGAIN

UNREADABLE = "unreadable"
"""Label of a file whose header cannot be read."""

MANY = 200
"""From so many files on they are shared out: a process takes a tenth of a second to start, a file up to ten ms."""
_PROCESSES = 8
_THREADS = 4
"""Of this process: while one waits for the disk, another computes."""
_SECONDS = 600

log = logging.getLogger(__name__)


def detect_all(paths: Sequence[Path]) -> list[Part]:
    """What lies at each path, in their order. What cannot be read is a part with a problem; nothing makes it fail."""
    processes = min(os.cpu_count() or 1, _PROCESSES)
    if len(paths) < MANY or processes < 2:
        return _here(paths)
    with ThreadPoolExecutor(processes) as pool:
        # Neighbours are often alike, so no process gets all of one kind.
        pieces = list(pool.map(_beside, (paths[first::processes] for first in range(processes))))
    found = {part.path: part for piece in pieces for part in piece}
    return [found[path] for path in paths]


def _here(paths: Sequence[Path]) -> list[Part]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_detected, paths))


def _beside(paths: Sequence[Path]) -> list[Part]:
    """The parts as a process of its own finds them; found here if that fails."""
    command = [sys.executable, "-P", "-m", "wan_engine.models.catalog.reading"]
    asked = json.dumps([str(path) for path in paths])
    try:
        answer = subprocess.run(  # noqa: S603
            command, input=asked, capture_output=True, text=True, timeout=_SECONDS, check=True, **quiet_start()
        )
        parts = [part_from(text) for text in json.loads(answer.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        log.info("Headers are read in this process, for another failed: %s", error)
        return _here(paths)
    return parts if [part.path for part in parts] == list(paths) else _here(paths)


def _detected(path: Path) -> Part:
    try:
        return detect_component(path)
    except ModelError as error:
        message, remedy = error.message, error.remedy
    except OSError as error:
        # Taken away, or its disk with it, while it was being read.
        message, remedy = f"{path} cannot be read: {error.strerror or error}", DOWNLOAD_AGAIN
    size = path.stat().st_size if path.is_file() else 0
    return Part(path, "other", UNREADABLE, "", size, "", problem=message, remedy=remedy)


def main() -> None:
    """Answer one question."""
    gc.disable()  # nothing here has cycles, and it would look through millions of small objects again and again
    paths = [Path(text) for text in json.load(sys.stdin)]
    json.dump([part_text(_detected(path)) for path in paths], sys.stdout)


if __name__ == "__main__":
    main()
