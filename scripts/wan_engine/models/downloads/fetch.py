"""Downloads an entry of the table: asks the hub, checks the disk, brings every file, then puts all in place.

    order = prepare(entry, root)           what would be fetched; nothing is written yet
    download(order, report, cancelled)     fetches it, or goes on with it

Until every file is here and checked, nothing of it is in the entry's folder.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.downloads.hub import Busy, Hub, HubFile, Listing, Unreachable
from wan_engine.models.downloads.presence import Places, known, write_note
from wan_engine.models.downloads.progress import Meter, Report
from wan_engine.models.downloads.table import Entry
from wan_engine.models.downloads.transfer import PART, WHOLE, Patience, Way, bring, is_right, pause, staged
from wan_engine.storage.atomic import storage_error
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.places import check_free_space, size_words

logger = logging.getLogger(__name__)

SPARE_BYTES = 500_000_000
"""So much of the disk is left free."""
INDEX = "model_index.json"
"""It comes last, so that a folder of models is seen when it is whole."""


@dataclass(frozen=True)
class FileByHand:
    """A file to fetch by hand. size: bytes, about; 0 if not known.  folder: where it must be put."""

    repository: str
    file: str
    size: int
    folder: str


class OfflineError(ModelError):
    """The hub cannot be reached, for the cause given; `files` says what to fetch by hand."""

    def __init__(self, cause: ModelError, files: tuple[FileByHand, ...]) -> None:
        self.cause, self.files = cause, files
        super().__init__(cause.message, f"{cause.remedy}, or fetch these files elsewhere and put them there")

    def __str__(self) -> str:
        return "\n".join([f"{self.message}. {self.remedy}:", *(_line(each) for each in self.files)])

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "files": [asdict(each) for each in self.files]}


@dataclass(frozen=True)
class Order:
    """A download that is about to begin. needed: bytes still to come."""

    places: Places
    hub: Hub
    listing: Listing
    needed: int
    patience: Patience = field(default_factory=Patience)


def prepare(
    entry: Entry, root: Path, cancelled: Callable[[], bool] = lambda: False, patience: Patience | None = None
) -> Order:
    """Ask the hub what there is to fetch, and see that the disk has room for it.

    root: the folder of models.  cancelled: stop now? Raises Cancelled, OfflineError, ModelError (a licence that was not
    accepted at the hub, say), StorageError.
    """
    hub, places, borne = Hub(), Places(root, entry), patience or Patience()
    listing = _listing(hub, places, borne, cancelled)
    try:
        missing = [file for file in listing.files if not _same_size(places.folder / file.target, file)]
        needed = sum(file.size - _have(places.staging, file) for file in missing)
    except OSError as error:
        raise storage_error(places.folder, error, "read") from error
    check_room(root, needed)
    return Order(places, hub, listing, needed, borne)


def check_room(root: Path, needed: int) -> None:
    """Raise StorageError when the disk of the folder of models has no room for so many bytes more."""
    if needed:
        check_free_space(root, needed + SPARE_BYTES, "Free some space, or choose a folder on another disk")


def download(order: Order, report: Report, cancelled: Callable[[], bool]) -> Path:
    """Fetch what is not here, and give the entry's folder.

    Raises Cancelled, OfflineError, ModelError, StorageError; what came until then is kept for the next time.
    """
    places = order.places
    try:
        places.staging.mkdir(parents=True, exist_ok=True)
        with folder_lock(places.staging):
            _bring_all(order, report, cancelled)
            _put_in_place(order)
        shutil.rmtree(places.staging)
    except Unreachable as error:
        raise OfflineError(error, by_hand(order.listing, places)) from error
    except OSError as error:
        raise storage_error(places.folder, error) from error
    return places.folder


def by_hand(listing: Listing | None, places: Places) -> tuple[FileByHand, ...]:
    """The files of an entry for someone who fetches them: as the hub listed them, else as the table has them."""
    entry, folder = places.entry, places.folder
    if listing is None:
        single = entry.flat and not any("*" in pattern for pattern in entry.patterns)
        sizes = [entry.size // len(entry.patterns) if single else 0] * len(entry.patterns)
        rows = [
            (pattern, size, folder / entry.target(pattern)) for pattern, size in zip(entry.patterns, sizes, strict=True)
        ]
    else:
        rows = [(file.path, file.size, folder / file.target) for file in listing.files]
    return tuple(FileByHand(entry.repository, name, size, str(target.parent)) for name, size, target in rows)


def _listing(hub: Hub, places: Places, patience: Patience, cancelled: Callable[[], bool]) -> Listing:
    for failures in range(1, patience.tries + 2):
        try:
            return hub.listing(places.entry)
        except Busy as error:
            if failures > patience.tries:
                raise OfflineError(error, by_hand(None, places)) from error
            logger.warning("%s; asking again", error.message)
            pause(patience.seconds(failures), cancelled)
        except Unreachable as error:
            raise OfflineError(error, by_hand(None, places)) from error
    raise AssertionError("the last try returns or raises")


def _bring_all(order: Order, report: Report, cancelled: Callable[[], bool]) -> None:
    """Have each file either in its place and right, or whole in the staging folder."""
    meter = Meter(order.listing.size, report)
    way = Way(order.hub, order.listing, order.places.staging, meter, cancelled, order.patience)
    for file in sorted(order.listing.files, key=lambda each: each.size):
        if not _is_placed(order.places.folder, file, meter):
            bring(way, file)
        meter.finished(file.size)


def _is_placed(folder: Path, file: HubFile, meter: Meter) -> bool:
    """Whether the right file is in its place already: known by the note, or read through."""
    target = folder / file.target
    if not _same_size(target, file):
        return False
    if known(folder, file):
        return True
    meter.at("checking", file.path, 0)
    if is_right(target, file):
        return True
    logger.warning("%s is not the hub's file: it is fetched again", target)
    return False


def _put_in_place(order: Order) -> None:
    folder, staging = order.places.folder, order.places.staging
    for file in sorted(order.listing.files, key=lambda each: each.target.name == INDEX):
        whole = staged(staging, file, WHOLE)
        if whole.exists():
            target = folder / file.target
            target.parent.mkdir(parents=True, exist_ok=True)
            whole.replace(target)
    write_note(folder, order.listing)


def _same_size(path: Path, file: HubFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size


def _have(staging: Path, file: HubFile) -> int:
    sizes = (path.stat().st_size for suffix in (WHOLE, PART) if (path := staged(staging, file, suffix)).is_file())
    return min(file.size, next(sizes, 0))


def _line(file: FileByHand) -> str:
    size = f", {size_words(file.size)}" if file.size else ""
    return f"  {file.repository}: {file.file}{size} -> {file.folder}"
