"""The verb `outpaint`: films made larger or anew in parts; one frame before; a stopped film gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wan_engine.cli.errors import describe_error, show_error_lines
from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.progress import STEP_LINE_SECONDS, event_line
from wan_engine.cli.render import resume_command
from wan_engine.cli.screen import Screen, one_line
from wan_engine.cli.stop import StopSignals, announce_plainly
from wan_engine.errors import Cancelled, InputError, MediaError, ModelError, Problem, RenderError, StorageError
from wan_engine.render.events import CancelCheck, Event
from wan_engine.settings_check import outpaint_settings_from_mapping
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS

if TYPE_CHECKING:
    from wan_engine.tools.outpaint.orders import OutpaintOrder

_PROJECTS = (".json", ".yaml", ".yml")
_SHOWN = {"film": "Film", "sheet": "Contact sheet", "settings": "Settings", "plan": "Plan"}

Work = Callable[["_Lines", CancelCheck], dict[str, Any]]
"""Makes something; gives JSON-able values of what was made."""


@verb(with_settings=True, table=OUTPAINT_SETTINGS)
def outpaint(
    screen: Screen,
    flags: Flags,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILM...", help="Films, folders of films, patterns, or project files of kind outpaint."),
    ] = None,
    cuts: Annotated[
        str | None, typer.Option(metavar="FRAMES", help="Frames at which scenes begin, such as 48,120; of one film.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only make one frame, and show it with its canvas and mask.")
    ] = False,
    frame: Annotated[int, typer.Option(metavar="INTEGER", min=0, help="The frame that --preview makes.")] = 0,
    resume: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Go on with the film in this folder, where it stopped.")
    ] = None,
) -> None:
    """Outpaint films, or make parts of them anew. Of several films one that fails does not stop the others."""
    if resume is not None:
        if files or flags:
            message = "a film is resumed with the settings it was begun with"
            raise InputError(Problem(message, "Give --resume without films and settings", field="--resume"))
        _show(screen, [_one(screen, resume, _resumed(Path(resume)))])
        return
    orders = _orders(files or [], flags, cuts)
    done, codes = [], []
    for number, order in enumerate(orders):
        if len(orders) > 1:
            screen.line(screen.err, f"Film {number + 1} of {len(orders)}: {one_line(str(order.film))}", style="bold")
        try:
            done.append(_one(screen, str(order.film), _looked(order, frame) if preview else _made(order)))
        except Cancelled:
            raise
        except Exception as error:
            if len(orders) == 1:
                raise
            show_error_lines(screen, error)
            codes.append(describe_error(error).exit_code)
            done.append({"source": str(order.film), **describe_error(error).document})
    _show(screen, done)
    if codes:
        raise typer.Exit(codes[0])


def _orders(files: list[str], flags: Flags, cuts: str | None) -> list[OutpaintOrder]:
    """The films that are named, by themselves or in project files; flags win over what these say."""
    from dataclasses import replace

    from wan_engine.tools.outpaint.orders import OutpaintOrder, orders_of_file
    from wan_engine.tools.scenes.inputs import find_films

    settings = outpaint_settings_from_mapping(flags, file=FLAGS_PLACE)
    projects = [file for file in files if file.lower().endswith(_PROJECTS)]
    films = [file for file in files if file not in projects]
    orders = [order for project in projects for order in orders_of_file(Path(project), flags)]
    if films or not projects:
        orders += [OutpaintOrder(film, settings) for film in find_films(films)]
    if cuts is not None:
        if len(orders) > 1:
            raise InputError(Problem("cuts are given for several films", "Outpaint one film", field="--cuts"))
        orders = [replace(orders[0], cuts=_frames(cuts))]
    return orders


def _frames(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word.isdecimal() for word in words):
        raise InputError(Problem(f"{text!r} are no frames", "Give them as 48,120", field="--cuts"))
    frames = tuple(int(word) for word in words)
    if any(after <= before for before, after in zip((0, *frames), frames, strict=False)):
        raise InputError(Problem(f"{text!r} are not in order", "Give frames from 1 on, in order", field="--cuts"))
    return frames


def _made(order: OutpaintOrder) -> Work:
    def work(lines: _Lines, cancelled: CancelCheck) -> dict[str, Any]:
        from wan_engine.outpaint import make_outpaint

        return asdict(make_outpaint(order, lines.report, cancelled))

    return work


def _resumed(folder: Path) -> Work:
    def work(lines: _Lines, cancelled: CancelCheck) -> dict[str, Any]:
        from wan_engine.outpaint import resume_outpaint

        return asdict(resume_outpaint(folder, lines.report, cancelled))

    return work


def _looked(order: OutpaintOrder, frame: int) -> Work:
    def work(lines: _Lines, cancelled: CancelCheck) -> dict[str, Any]:
        from wan_engine.outpaint import preview_outpaint

        looks, places = preview_outpaint(order, lines.report, cancelled, frame=frame)
        lines.folder = ""  # a preview is not gone on with
        return {"folder": places.folder, **looks}

    return work


def _one(screen: Screen, source: str, work: Work) -> dict[str, Any]:
    """What was made of one film; an error that ends it says how to go on, once the film has a folder."""
    lines = _Lines(screen)
    with StopSignals(announce_plainly) as stop:
        try:
            made = work(lines, stop.wanted)
        except (Cancelled, MediaError, ModelError, RenderError, StorageError) as error:
            if not lines.folder:
                raise
            command = resume_command(lines.folder, "outpaint")
            raise type(error)(error.message, f"{error.remedy or 'To go on'}: {command}") from error
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in made.items()}
    return {"source": source, **plain}


class _Lines:
    """Writes a line for each event, of steps one every few seconds. folder: of the film, once it has one."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last = time.monotonic()
        self._loading_told = False
        self.folder = ""

    def report(self, event: Event) -> None:
        """Write the event's line."""
        if event.kind == "step":
            if time.monotonic() - self._last < STEP_LINE_SECONDS:
                return
            self._last = time.monotonic()
        if event.kind == "loading":
            told, self._loading_told = self._loading_told, True
            if told:
                return
        if event.attempt is not None and event.attempt.outcome == "used" and not self._screen.verbose:
            return
        self.folder = event.message if event.kind == "started" else self.folder
        style = {"note": "yellow", "tried": "yellow", "film_done": "green"}.get(event.kind, "")
        self._screen.line(self._screen.err, one_line(event_line(event)), style=style)


def _show(screen: Screen, done: list[dict[str, Any]]) -> None:
    if screen.json:
        screen.document(done[0] if len(done) == 1 else {"films": done})
        return
    for made in done:
        for name, value in made.items():
            if name in _SHOWN or name in ("before", "canvas", "mask", "after"):
                screen.line(screen.out, f"{_SHOWN.get(name, name.capitalize())}: {one_line(str(value))}")
        for note in made.get("notes", ()):
            screen.line(screen.err, one_line(note), style="yellow")
