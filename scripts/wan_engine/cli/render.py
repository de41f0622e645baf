"""The verb `render`: films from project files, one after the other, and a stopped film taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wan_engine.cli.errors import describe_error, show_error_lines
from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import STDIN, problems_placed, read_project
from wan_engine.cli.log_file import logged
from wan_engine.cli.plan_view import show_notes
from wan_engine.cli.progress import progress_view
from wan_engine.cli.screen import Screen, command_words, one_line
from wan_engine.cli.stop import StopSignals
from wan_engine.errors import Cancelled, InputError, MediaError, ModelError, Problem, RenderError, StorageError
from wan_engine.plan.model import Plan
from wan_engine.render.events import CancelCheck, Event, Report

if TYPE_CHECKING:
    from wan_engine.render.result import FilmResult

_PRODUCTS = {
    "film": "Film",
    "gif": "GIF",
    "sheet": "Contact sheet",
    "frames": "Frames",
    "subtitles": "Subtitles",
    "settings": "Settings",
    "plan": "Plan",
}
"""What a film's folder may hold, in the order in which it is shown."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: a film with the notes on it, or the error that stopped it."""

    file: str
    film: FilmResult | None = None
    notes: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def exit_code(self) -> int:
        """The exit code that this outcome alone would have."""
        return 0 if self.error is None else describe_error(self.error).exit_code

    def as_dict(self) -> dict[str, Any]:
        """The outcome as JSON-able values: the paths of all that was made, or the error."""
        if self.film is None:
            assert self.error is not None
            return {"file": self.file, **describe_error(self.error).document}
        paths = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self.film).items()}
        return {"file": self.file, **paths, "notes": [*self.notes, *self.film.notes]}


@verb(with_settings=True)
def render(
    screen: Screen,
    flags: Flags,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Project files: JSON, YAML or Deforum settings .txt; - reads stdin."),
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Go on with the film in this folder, where it stopped.")
    ] = None,
) -> None:
    """Render films. Several files are a batch: one that fails does not stop the rest."""
    if resume is not None:
        _check_resume(files or [], flags)
        show_film(screen, _resume(screen, resume))
    elif not files:
        raise InputError(Problem("no file is given", "Give a project file, or --resume with a film's folder"))
    elif len(files) == 1:
        show_film(screen, _render_file(screen, files[0], flags))
    else:
        _render_batch(screen, files, flags)


def _check_resume(files: list[str], flags: Flags) -> None:
    if files or flags:
        message = "a film is resumed with the settings it was begun with"
        raise InputError(Problem(message, "Give --resume without files and settings", field="--resume"))


def _resume(screen: Screen, folder: str) -> Outcome:
    from wan_engine.film import resume_film
    from wan_engine.plan.model import read_plan
    from wan_engine.storage.places import open_film_folder

    plan = read_plan(open_film_folder(Path(folder)).plan)
    with watched(screen, plan) as (report, cancelled):
        return Outcome(folder, resume_film(Path(folder), report, cancelled))


def _render_file(screen: Screen, file: str, flags: Flags) -> Outcome:
    from wan_engine.film import make_film, plan_film
    from wan_engine.schedule.seeds import fixed_seed

    project = read_project(file, flags)
    if project.storyboard is not None:
        return _render_story(screen, file, flags)
    # Drawn here, so that the film is the one whose plan is shown.
    settings = fixed_seed(project.settings)
    with problems_placed(project, flags):
        plan = plan_film(settings)
    screen.line(screen.err, f"Arguments checked: {one_line(project.file)}")
    show_notes(screen, screen.err, project.notes)
    with problems_placed(project, flags), watched(screen, plan) as (report, cancelled):
        return Outcome(file, make_film(settings, report, cancelled), project.notes)


def _render_story(screen: Screen, file: str, flags: Flags) -> Outcome:
    from wan_engine.cli.storyboard import render_story

    if file == STDIN:
        problem = Problem(
            "a storyboard is rendered from its file: its pictures go beside it", "Save it first", file=file
        )
        raise InputError(problem)
    return render_story(screen, file, flags)


@contextmanager
def watched(screen: Screen, plan: Plan, again: str = "") -> Iterator[tuple[Report, CancelCheck]]:
    """What a render reports to and asks, while its progress is shown and Ctrl-C means stop.

    An error that ends it says how to go on, once the film has a folder. again: what to do then in place of resuming.
    """
    folder = ""
    with progress_view(screen, plan) as view, StopSignals(view.stopping, view.last_words) as stop:

        def report(event: Event) -> None:
            nonlocal folder
            folder = event.message if event.kind == "started" else folder
            view.report(event)

        try:
            with logged(screen, report) as told:
                yield told, stop.wanted
        except (Cancelled, MediaError, ModelError, RenderError, StorageError) as error:
            if not folder:
                raise
            go_on = again or resume_command(folder)
            raise type(error)(error.message, f"{error.remedy or 'To go on'}: {go_on}") from error


def resume_command(folder: str, verb_name: str = "render") -> str:
    """What to type to go on with a film, quoted as this system's shells want it."""
    return command_words("wan-engine", verb_name, "--resume", folder)


def _render_batch(screen: Screen, files: list[str], flags: Flags) -> None:
    outcomes: list[Outcome] = []
    for number, file in enumerate(files, start=1):
        screen.line(screen.err, f"File {number} of {len(files)}: {one_line(file)}", style="bold")
        outcomes.append(_try_file(screen, file, flags))
        if isinstance(outcomes[-1].error, Cancelled):
            break
    if screen.json:
        screen.document({"films": [outcome.as_dict() for outcome in outcomes]})
    else:
        _show_summary(screen, files, outcomes)
    codes = [outcome.exit_code for outcome in outcomes]
    cancelled = isinstance(outcomes[-1].error, Cancelled)
    raise typer.Exit(codes[-1] if cancelled else next((code for code in codes if code), 0))


def _try_file(screen: Screen, file: str, flags: Flags) -> Outcome:
    try:
        return _render_file(screen, file, flags)
    except Exception as error:  # noqa: BLE001  whatever stops one film must not stop the others
        show_error_lines(screen, error)
        return Outcome(file, error=error)


def show_film(screen: Screen, outcome: Outcome) -> None:
    if screen.json:
        screen.document(outcome.as_dict())
        return
    assert outcome.film is not None
    for name, label in _PRODUCTS.items():
        path = getattr(outcome.film, name)
        if path is not None and (name == "film" or path != outcome.film.film):
            screen.line(screen.out, f"{label}: {one_line(str(path))}")


def _show_summary(screen: Screen, files: list[str], outcomes: list[Outcome]) -> None:
    rows = [(one_line(outcome.file), _result_words(outcome)) for outcome in outcomes]
    rows += [(one_line(file), "not begun") for file in files[len(outcomes) :]]
    if not screen.is_rich(screen.out):
        for file, words in rows:
            screen.line(screen.out, f"{file}: {words}")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("file", "result", show_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    screen.out.print(table)


def _result_words(outcome: Outcome) -> str:
    if outcome.film is not None:
        return one_line(str(outcome.film.film or outcome.film.frames or outcome.film.folder))
    assert outcome.error is not None
    words = describe_error(outcome.error)
    more = f" (and {len(words.lines) - 1} more)" if len(words.lines) > 1 else ""
    return f"failed with exit code {words.exit_code}: {one_line(words.lines[0], 200)}{more}"
