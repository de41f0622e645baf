"""Splits films into their scenes: finds them, lists them and cuts each into a file of its own.

    result = split_films(SplitOrder(films, settings), report, cancelled)

Of several films a damaged one is told and the others are done. What is finished is on disk at every moment.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import Cancelled, InputError, Problem, WanError
from wan_engine.media.probe import probe
from wan_engine.media.segments import WORK_PREFIX
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.storage.atomic import remove_leftovers, storage_error
from wan_engine.storage.lock import folder_lock
from wan_engine.tools.scenes.cutting import FilmFile, piece_coding
from wan_engine.tools.scenes.detectors import make_detector
from wan_engine.tools.scenes.film_work import FilmSplit, FilmWork, SplitOrder, SplitProgress
from wan_engine.tools.scenes.names import check_pattern


@dataclass(frozen=True)
class SplitResult:
    """What was made."""

    folder: Path
    films: tuple[FilmSplit, ...]
    notes: tuple[str, ...] = ()


def check_split(order: SplitOrder) -> None:
    """Find what is wrong with an order before anything is done. Raises InputError and, for one film, MediaError."""
    if not order.films:
        raise InputError(Problem("no film is given", "Give a film or a folder with films", field="films"))
    check_pattern(order.settings.name_pattern)
    if order.scenes:
        _check_scenes(order)
    if len(order.films) == 1:
        piece_coding(order.settings, FilmFile(order.films[0], probe(order.films[0])))


def _check_scenes(order: SplitOrder) -> None:
    if len(order.films) > 1:
        raise InputError(Problem("scenes are given for several films", "Split one film at a time", field="scenes"))
    before = 0
    for number, (start, end) in enumerate(order.scenes):
        if start < before or end <= start:
            message = f"the frames {start} to {end} are empty, or not after the scene before"
            raise InputError(Problem(message, "Give the scenes in order", field="scenes", key=str(number)))
        before = end


def split_films(order: SplitOrder, report: Report, cancelled: CancelCheck, device: str = "") -> SplitResult:
    """Split films. device: where the network runs now, in place of the settings' own.

    Raises InputError, ModelError and StorageError before the first film; of a single film also MediaError; of several
    films an error is noted in the result. Raises Cancelled.
    """
    check_split(order)
    detector, notes = make_detector(order.settings, device)
    folder = order.folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error, "make the folder") from error
    results: list[FilmSplit] = []
    with folder_lock(folder):
        report(Event("started", str(folder), clips=len(order.films)))
        _remove_leftovers(folder)
        for number, film in enumerate(order.films):
            progress = SplitProgress(report, number, len(order.films))
            try:
                results.append(FilmWork(order, film, folder, detector, progress, cancelled).split())
            except Cancelled:
                raise
            except WanError as error:
                if len(order.films) == 1:
                    raise
                progress.say("note", f"{film.name}: {error}")
                results.append(FilmSplit(film, error=error))
    return SplitResult(folder, tuple(results), (*notes, *(note for each in results for note in _told(each))))


def _told(film: FilmSplit) -> tuple[str, ...]:
    told = (*film.notes, *([str(film.error)] if film.error else []))
    return tuple(f"{film.film.name}: {note}" for note in told)


def _remove_leftovers(folder: Path) -> None:
    """Clear away what a killed process left half done."""
    remove_leftovers(folder)
    for work in folder.glob(f"{WORK_PREFIX}*"):
        shutil.rmtree(work, ignore_errors=True)
