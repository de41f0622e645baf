"""Brings one file here, whole and checked: goes on after breaks, and once anew when it is damaged.

A file that is under way ends in `.part` in a folder of the download's own, one that is checked in `.whole`: no reader
of models takes either for a weight file, and a killed process leaves nothing else. The rest of the name says which
content is wanted where, so that what came of another commit's file is never gone on with.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import Cancelled, ModelError
from wan_engine.models.downloads.hub import Busy, Hub, HubFile, Listing, Unreachable
from wan_engine.models.downloads.progress import Meter
from wan_engine.storage.atomic import storage_error
from wan_engine.storage.hashes import file_hash, value_hash

logger = logging.getLogger(__name__)

PART, WHOLE = ".part", ".whole"
_CANCEL_SECONDS = 0.1


@dataclass(frozen=True)
class Patience:
    """How long breaks are borne. tries: in a row without a new byte.  wait: seconds before the first new try, doubled
    at each further one up to 8."""

    tries: int = 5
    wait: float = 1.0

    def seconds(self, failures: int) -> float:
        """The wait after so many failures in a row."""
        return min(8.0, self.wait * 2.0 ** (failures - 1))


@dataclass(frozen=True)
class Way:
    """How a download's files come here. staging: the download's own folder.  cancelled: asked often, stop now?"""

    hub: Hub
    listing: Listing
    staging: Path
    meter: Meter
    cancelled: Callable[[], bool]
    patience: Patience = Patience()


def staged(staging: Path, file: HubFile, suffix: str) -> Path:
    """Where a file is while it is under way, or once it is checked."""
    return staging / (value_hash([str(file.target), file.identity]) + suffix)


def bring(way: Way, file: HubFile) -> Path:
    """The file, checked, in the staging folder. Raises Cancelled, Unreachable, ModelError, StorageError."""
    whole = staged(way.staging, file, WHOLE)
    part = staged(way.staging, file, PART)
    try:
        if whole.is_file() and whole.stat().st_size == file.size:
            return whole
        for last_try in (False, True):
            _complete(way, file, part)
            way.meter.at("checking", file.path, file.size)
            if is_right(part, file):
                part.replace(whole)
                return whole
            part.unlink()
            if not last_try:
                logger.warning("%s is damaged: it is fetched once more", file.path)
    except OSError as error:
        raise storage_error(part, error) from error
    message = f"{file.path} of {way.listing.entry.repository} came damaged twice: its checksum is not the hub's"
    raise ModelError(message, "Try again later; a proxy on the way may change files")


def is_right(path: Path, file: HubFile) -> bool:
    """Whether a file has the size and checksum of the hub's. Raises StorageError."""
    try:
        if path.stat().st_size != file.size:
            return False
        if file.sha256:
            return file_hash(path) == file.sha256
        content = path.read_bytes()
    except OSError as error:
        raise storage_error(path, error, "read") from error
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == file.blob


def _complete(way: Way, file: HubFile, part: Path) -> None:
    """Make the part as long as the file is."""
    part.touch()
    failures = 0
    while (have := part.stat().st_size) != file.size:
        if have > file.size:
            os.truncate(part, 0)
            continue
        try:
            _append(way, file, part, have)
            broke: Unreachable | None = None
        except Unreachable as error:
            broke = error
        failures = 0 if part.stat().st_size > have else failures + 1
        if failures > way.patience.tries:
            raise broke or Busy(f"the hub sends nothing more of {file.path}", "Try again later")
        if broke:
            logger.warning("%s: %s; going on", file.path, broke.message)
            pause(way.patience.seconds(max(1, failures)), way.cancelled)


def _append(way: Way, file: HubFile, part: Path, have: int) -> None:
    """Read the file from where the part ends."""
    check_cancel(way.cancelled)
    way.meter.restart()
    with way.hub.reading(way.listing, file, have) as (start, blocks), part.open("rb+") as out:
        out.truncate(start)
        out.seek(start)
        have = start
        way.meter.at("downloading", file.path, have)
        for block in blocks:
            # Never more than the file has; the checksum tells whether these were its bytes.
            have += out.write(block[: file.size - have])
            way.meter.at("downloading", file.path, have)
            check_cancel(way.cancelled)
        out.flush()
        os.fsync(out.fileno())


def pause(seconds: float, cancelled: Callable[[], bool]) -> None:
    """Wait. Raises Cancelled as soon as it is wished."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check_cancel(cancelled)
        time.sleep(min(left, _CANCEL_SECONDS))


def check_cancel(cancelled: Callable[[], bool]) -> None:
    """Raise Cancelled if that is wished."""
    if cancelled():
        raise Cancelled("the download was stopped", "What is here is kept: download it again to go on")
