"""The verb `models download`: fetches models by name, after their licence was accepted."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.screen import Screen, one_line, size_words, time_words
from wan_engine.cli.stop import StopSignals
from wan_engine.errors import Cancelled, InputError, Problem, ProblemList
from wan_engine.words import counted

if TYPE_CHECKING:
    from wan_engine.models.downloads.fetch import Order
    from wan_engine.models.downloads.progress import Progress
    from wan_engine.models.downloads.table import Entry

_STOPPING = b"Stopping; what is here is kept. Press Ctrl-C again to end at once.\n"
_LINE_SECONDS = 5.0
"""Least time between two lines about the same file."""


@verb()
def download(
    screen: Screen,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Names of the table.")] = None,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder of models; else the engine's own.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licences that are shown.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show the table of what can be downloaded.")] = False,
) -> None:
    """Fetch models by name from the Hugging Face hub: whole, checked, and gone on with when it was broken off."""
    from wan_engine.models.downloads.together import prepare_all

    root = to.expanduser().absolute() if to else model_folders()[0]
    if show_list:
        _show_table(screen, root)
        return
    entries = _entries(names or [])
    orders = prepare_all(entries, root)
    for order in orders:
        _show_order(screen, order)
    _accept(screen, entries, yes)
    with StopSignals(lambda: _say(_STOPPING)) as stop:
        done = [_fetch(screen, order, stop) for order in orders]
    if screen.json:
        screen.document({"models": done})
    _show_needs(screen, entries, root)


def model_folders() -> tuple[Path, ...]:
    """Where the engine of the usual state folder looks for models."""
    from wan_engine.home import state_home
    from wan_engine.service.config import CONFIG_FILE, config_from, read_config

    home = state_home()
    config = read_config(home) if (home / CONFIG_FILE).is_file() else config_from({"home": home})
    return config.model_roots


def _entries(names: list[str]) -> list[Entry]:
    from wan_engine.models.downloads.table import find_entries

    if not names:
        raise InputError(Problem("no name is given", "wan-engine models download --list shows the table", "NAME"))
    found: list[Entry] = []
    problems = ProblemList()
    for name in dict.fromkeys(names):
        try:
            found += find_entries(name)
        except InputError as error:
            problems.extend(error)
    problems.raise_if_any()
    return list(dict.fromkeys(found))


def _accept(screen: Screen, entries: list[Entry], yes: bool) -> None:
    """Have the user accept the licences. Raises InputError where nobody can be asked, Cancelled for a no."""
    if yes:
        return
    licences = ", ".join(dict.fromkeys(entry.licence for entry in entries))
    if screen.json or not sys.stdin.isatty():
        message = f"the licence must be accepted first: {licences}"
        raise InputError(Problem(message, "Read it at the address shown, then give --yes", "--yes"))
    if not typer.confirm(f"Do you accept the licence ({licences}) and start the download?", err=True):
        raise Cancelled("nothing was downloaded")


def _fetch(screen: Screen, order: Order, stop: StopSignals) -> dict[str, Any]:
    from wan_engine.models.downloads.fetch import download as fetch

    entry = order.places.entry
    with _View(screen, entry.name) as view:
        folder = fetch(order, view.report, stop.wanted)
    screen.line(screen.out, f"{entry.name} is in {folder}")
    listing = order.listing
    return {
        "name": entry.name,
        "folder": str(folder),
        "repository": entry.repository,
        "commit": listing.commit,
        "size": listing.size,
        "fetched": order.needed,
    }


class _View:
    """A bar in a terminal, elsewhere a line now and then."""

    def __init__(self, screen: Screen, name: str) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        self._screen = screen
        self._told = ("", "", 0.0)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[words]}"))
        self._bars = Bars(*columns, console=screen.err, transient=True) if screen.is_rich(screen.err) else None
        self._task = self._bars.add_task(name, total=None, words="") if self._bars else None

    def __enter__(self) -> _View:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bars:
            self._bars.stop()

    def report(self, progress: Progress) -> None:
        """Show how far it is."""
        if self._bars and self._task is not None:
            self._bars.update(self._task, total=progress.total, completed=progress.done, words=_figures(progress))
            return
        doing, file, at = self._told
        if (progress.doing, progress.file) != (doing, file) or time.monotonic() - at >= _LINE_SECONDS:
            self._told = (progress.doing, progress.file, time.monotonic())
            what = "Checking" if progress.doing == "checking" else "Fetching"
            self._screen.line(self._screen.err, f"{what} {one_line(progress.file)}: {_figures(progress)}")


def _figures(progress: Progress) -> str:
    words = f"{size_words(progress.done)} of {size_words(progress.total)}"
    if progress.speed:
        words += f", {size_words(round(progress.speed))}/s"
    if progress.seconds_left is not None:
        words += f", about {time_words(progress.seconds_left)} left"
    return words


def _show_order(screen: Screen, order: Order) -> None:
    entry, listing = order.places.entry, order.listing
    total, files = size_words(listing.size), counted(len(listing.files), "file")
    fetched = f"{size_words(order.needed)} to fetch" if order.needed else "all here"
    screen.line(screen.err, f"{entry.name}: {entry.what}")
    screen.line(screen.err, f"  {files}, {total}, {fetched}; goes to {order.places.folder}")
    said = f" (the hub says: {one_line(listing.licence)})" if listing.licence not in ("", entry.licence) else ""
    screen.line(screen.err, f"  licence {entry.licence}{said}, {order.hub.page(entry)}")


def _show_needs(screen: Screen, entries: list[Entry], root: Path) -> None:
    """Which other parts films need that are not here."""
    from wan_engine.models.downloads.presence import Places, presence
    from wan_engine.models.downloads.table import TABLE

    needs = dict.fromkeys(name for entry in entries for name in entry.needs)
    missing = [name for name in needs if presence(Places(root, TABLE[name])) != "there"]
    if missing:
        screen.line(screen.err, f"Films also need parts that are not here: {' '.join(missing)}", style="yellow")


def _show_table(screen: Screen, root: Path) -> None:
    from wan_engine.models.downloads.presence import Places, presence
    from wan_engine.models.downloads.table import SETS, TABLE

    rows = [(entry, presence(Places(root, entry))) for entry in TABLE.values()]
    if screen.json:
        shown = ("name", "what", "repository", "revision", "licence", "size", "parts", "needs", "gated")
        models = [{**{name: getattr(entry, name) for name in shown}, "state": state} for entry, state in rows]
        sets = {name: list(entries) for name, entries in SETS.items()}
        screen.document({"folder": str(root), "models": models, "sets": sets})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("what it is")
    table.add_column("about", no_wrap=True)
    table.add_column("licence", max_width=20, overflow="fold")
    table.add_column("here", no_wrap=True)
    here = {"there": "yes", "part": "in part", "absent": ""}
    for entry, state in rows:
        table.add_row(entry.name, entry.what, size_words(entry.size), entry.licence, here[state])
    screen.out.print(table)
    for name, entries in SETS.items():
        screen.line(screen.out, f"{name} is {' '.join(entries)}")
    screen.line(screen.out, f"They go to {root}")


def _say(words: bytes) -> None:
    os.write(2, words)
