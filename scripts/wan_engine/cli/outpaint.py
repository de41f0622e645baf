"""The verb `outpaint`: films made larger or anew in parts; one frame before; a stopped film gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wan_engine.cli.errors import describe_error, show_error_lines
from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.log_file import logged
from wan_engine.cli.progress import LineView
from wan_engine.cli.render import resume_command
from wan_engine.cli.screen import Screen, one_line
from wan_engine.cli.stop import StopSignals
from wan_engine.errors import Cancelled, InputError, MediaError, ModelError, Problem, RenderError, StorageError
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.settings_check import outpaint_settings_from_mapping
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS

if TYPE_CHECKING:
    from wan_engine.tools.outpaint.orders import OutpaintOrder

_PROJECTS = (".json", ".yaml", ".yml")
_SHOWN = {"film": "Film", "sheet": "Contact sheet", "settings": "Settings", "plan": "Plan"}

Work = Callable[[Report, CancelCheck], dict[str, Any]]
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
    frame: Annotated[
        int | None, typer.Option(metavar="INTEGER", min=0, help="The frame that --preview makes; 0 is the first.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Go on with the film in this folder, where it stopped.")
    ] = None,
) -> None:
    """Outpaint films, or make parts of them anew. Of several films one that fails does not stop the others."""
    if frame is not None and not preview:
        raise InputError(Problem("it is for --preview alone", "Give --preview too, or leave it out", field="--frame"))
    if resume is not None:
        if files or flags or cuts is not None or preview:
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
            work = _looked(order, frame or 0) if preview else _made(order)
            done.append(_one(screen, str(order.film), work, goes_on=not preview))
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
    def work(report: Report, cancelled: CancelCheck) -> dict[str, Any]:
        from wan_engine.outpaint import make_outpaint

        return asdict(make_outpaint(order, report, cancelled))

    return work


def _resumed(folder: Path) -> Work:
    def work(report: Report, cancelled: CancelCheck) -> dict[str, Any]:
        from wan_engine.outpaint import resume_outpaint

        return asdict(resume_outpaint(folder, report, cancelled))

    return work


def _looked(order: OutpaintOrder, frame: int) -> Work:
    def work(report: Report, cancelled: CancelCheck) -> dict[str, Any]:
        from wan_engine.outpaint import preview_outpaint

        looks, places = preview_outpaint(order, report, cancelled, frame=frame)
        return {"folder": places.folder, **looks}

    return work


def _one(screen: Screen, source: str, work: Work, goes_on: bool = True) -> dict[str, Any]:
    """What was made of one film. goes_on: an error that ends it says how to go on, once the film has a folder."""
    folder = ""
    with LineView(screen, None) as view, StopSignals(view.stopping) as stop, logged(screen, view.report) as tell:

        def report(event: Event) -> None:
            nonlocal folder
            folder = event.message if event.kind == "started" else folder
            tell(event)

        try:
            made = work(report, stop.wanted)
        except (Cancelled, MediaError, ModelError, RenderError, StorageError) as error:
            if not (folder and goes_on):
                raise
            command = resume_command(folder, "outpaint")
            raise type(error)(error.message, f"{error.remedy or 'To go on'}: {command}") from error
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in made.items()}
    return {"source": source, **plain}


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
