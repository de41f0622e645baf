"""The verb `plan`: what would be rendered, before any GPU time is spent."""

from __future__ import annotations

from typing import Annotated

import typer

from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import problems_placed, read_project
from wan_engine.cli.plan_view import show_notes, show_plan
from wan_engine.cli.screen import Screen

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="Project file: JSON, YAML or Deforum settings .txt; - reads stdin.")
]


@verb(with_settings=True)
def plan(screen: Screen, flags: Flags, file: FileArgument) -> None:
    """Show the clips of a film, with prompts, frames and seeds, without rendering it."""
    from wan_engine.film import film_memory, plan_film
    from wan_engine.plan.model import plan_to_json

    project = read_project(file, flags)
    with problems_placed(project, flags):
        film = plan_film(project.settings)
        memory = film_memory(project.settings, film)
    if screen.json:
        expected = memory.as_dict() if memory is not None else None
        screen.document({**plan_to_json(film), "memory": expected, "notes": [*project.notes, *film.notes]})
        return
    show_plan(screen, film, screen.out, memory)
    show_notes(screen, screen.out, project.notes)
