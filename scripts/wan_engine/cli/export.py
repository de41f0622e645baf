"""The verb `export`: a film's settings as a project file or as a settings file for Deforum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import problems_placed, read_project
from wan_engine.cli.plan import FileArgument
from wan_engine.cli.plan_view import show_notes
from wan_engine.cli.screen import Screen
from wan_engine.errors import InputError, Problem

OutArgument = Annotated[
    str, typer.Argument(metavar="OUT", help="The file to write: .txt for Deforum, .json for a project file.")
]


@verb(with_settings=True)
def export(
    screen: Screen,
    flags: Flags,
    file: FileArgument,
    out: OutArgument,
    movement: Annotated[
        bool, typer.Option("--movement", help="Turn a Deforum file's camera movement into words of its prompts.")
    ] = False,
) -> None:
    """Write the settings of a film to a new file: Deforum's (.txt) or a project file (.json)."""
    from wan_engine.schedule.deforum_export import DeforumFile, deforum_file
    from wan_engine.schedule.project import project_to_text
    from wan_engine.storage.atomic import write_text

    target = Path(out)
    if target.suffix.lower() not in (".txt", ".json"):
        remedy = "End it in .txt for a Deforum settings file, or in .json for a project file"
        raise InputError(Problem("its name does not say which kind of file it shall be", remedy, file=out))
    if target.exists():
        raise InputError(Problem("it is there already", "Give another name, or remove it first", file=out))
    project = read_project(file, flags, movement)
    with problems_placed(project, flags):
        is_deforum = target.suffix.lower() == ".txt"
        made = deforum_file(project.settings) if is_deforum else DeforumFile(project_to_text(project.settings))
    write_text(target, made.text)
    notes = (*project.notes, *made.notes)
    if screen.json:
        screen.document({"file": str(target.absolute()), "notes": notes})
        return
    screen.line(screen.out, f"Written: {out}")
    show_notes(screen, screen.out, notes)
