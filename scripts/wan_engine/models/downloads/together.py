"""Downloads several entries of the table as one: room for all of them first, one progress, one list of what is to be
fetched by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from wan_engine.models.downloads.fetch import FileByHand, OfflineError, Order, by_hand, check_room, download, prepare
from wan_engine.models.downloads.presence import Places, presence
from wan_engine.models.downloads.progress import Progress, Report
from wan_engine.models.downloads.table import Entry


def prepare_all(
    entries: Sequence[Entry], root: Path, cancelled: Callable[[], bool] = lambda: False
) -> tuple[Order, ...]:
    """Ask the hub for all entries, and see that the disk has room for what is to come of them together.

    root: the folder of models. Raises as `prepare`; an OfflineError names the files of every entry that is not here.
    """
    orders: list[Order] = []
    for number, entry in enumerate(entries):
        try:
            orders.append(prepare(entry, root, cancelled))
        except OfflineError as error:
            later = [Places(root, each) for each in entries[number + 1 :]]
            listed = [file for places in later if presence(places) != "there" for file in by_hand(None, places)]
            raise OfflineError(error.cause, (*_files(orders), *error.files, *listed)) from error
    check_room(root, sum(order.needed for order in orders))
    return tuple(orders)


def download_all(orders: Sequence[Order], report: Report, cancelled: Callable[[], bool]) -> list[Path]:
    """Fetch one entry after the other, and give their folders. report: is told of all bytes together.

    Raises as `download`; an OfflineError names the files of the entries behind too. What is whole by then stays.
    """
    total = sum(order.listing.size for order in orders)
    folders: list[Path] = []
    before = 0
    for number, order in enumerate(orders):
        try:
            folders.append(download(order, _of_all(report, before, total), cancelled))
        except OfflineError as error:
            raise OfflineError(error.cause, (*error.files, *_files(orders[number + 1 :]))) from error
        before += order.listing.size
    return folders


def _files(orders: Sequence[Order]) -> list[FileByHand]:
    return [file for order in orders if order.needed for file in by_hand(order.listing, order.places)]


def _of_all(report: Report, before: int, total: int) -> Report:
    """A report of one entry's bytes as one of all entries'."""

    def told(progress: Progress) -> None:
        done = before + progress.done
        left = (total - done) / progress.speed if progress.speed else None
        report(replace(progress, done=done, total=total, seconds_left=left))

    return told
