"""The verb `split`: films cut into their scenes, one file a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from wan_engine.cli.errors import describe_error, show_error_lines
from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.log_file import logged
from wan_engine.cli.progress import LineView
from wan_engine.cli.screen import Screen, one_line
from wan_engine.cli.stop import StopSignals
from wan_engine.errors import Cancelled
from wan_engine.render.events import Event
from wan_engine.settings_check import split_settings_from_mapping
from wan_engine.settings_split import SPLIT_SETTINGS
from wan_engine.words import counted

if TYPE_CHECKING:
    from wan_engine.tools.scenes.split import SplitResult


@verb(with_settings=True, table=SPLIT_SETTINGS)
def split(
    screen: Screen,
    flags: Flags,
    films: Annotated[
        list[str], typer.Argument(metavar="FILM...", help="Films, folders of films, or patterns such as films/*.mkv.")
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what an earlier split with the same settings has finished.")
    ] = False,
) -> None:
    """Find the scenes of films and cut each into a file. A damaged film does not stop the others."""
    from wan_engine.tools.scenes.film_work import SplitOrder
    from wan_engine.tools.scenes.inputs import find_films
    from wan_engine.tools.scenes.split import split_films

    order = SplitOrder(find_films(films), split_settings_from_mapping(flags, file=FLAGS_PLACE), resume)
    with _SplitView(screen, None) as lines, StopSignals(lines.stopping) as stop:
        try:
            with logged(screen, lines.report) as report:
                result = split_films(order, report, stop.wanted)
        except Cancelled as error:
            raise Cancelled("the split was stopped", "Run it again with --resume to go on") from error
    _show(screen, result)
    failed = [film.error for film in result.films if film.error is not None]
    if failed:
        raise typer.Exit(describe_error(failed[0]).exit_code)


class _SplitView(LineView):
    """One line an event, with the film that it is about."""

    def _words(self, event: Event) -> str:
        if event.kind == "started":
            return super()._words(event)
        done = f", {100 * event.step // max(1, event.steps)} %" if event.kind == "step" else ""
        return f"Film {event.clip + 1} of {event.clips}: {event.message}{done}"


def _show(screen: Screen, result: SplitResult) -> None:
    if screen.json:
        films = [film.as_dict() for film in result.films]
        screen.document({"folder": str(result.folder), "films": films, "notes": [*result.notes]})
    for film in result.films:
        if film.error is not None:
            show_error_lines(screen, film.error)
        elif not screen.json:
            made = f"{counted(film.scenes, 'scene')}, {counted(film.made, 'file')} cut"
            screen.line(screen.out, one_line(f"{film.film}: {made}; {film.list}"))
    for note in result.notes:
        screen.line(screen.err, one_line(note), style="yellow")
