"""The verb `prompts`: which words the model is given from which frame on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from wan_engine.cli.flags import Flags, verb
from wan_engine.cli.inputs import problems_placed, read_project
from wan_engine.cli.plan import FileArgument
from wan_engine.cli.plan_view import show_notes
from wan_engine.cli.screen import Screen, one_line

if TYPE_CHECKING:
    from wan_engine.schedule.prompt_rows import PromptRow


@verb(with_settings=True)
def prompts(screen: Screen, flags: Flags, file: FileArgument) -> None:
    """Show each prompt as the model gets it, with its frames and seconds."""
    from wan_engine.schedule.film_schedule import read_schedule
    from wan_engine.schedule.prompt_rows import prompt_rows
    from wan_engine.schedule.seeds import fixed_seed

    project = read_project(file, flags)
    settings = fixed_seed(project.settings)
    with problems_placed(project, flags):
        schedule = read_schedule(settings)
    rows, notes = prompt_rows(schedule), (*project.notes, *schedule.notes)
    if screen.json:
        film = {"frames": settings.max_frames, "fps": float(settings.film_fps)}
        screen.document({**film, "prompts": [asdict(row) for row in rows], "notes": notes})
        return
    for row in rows:
        screen.line(screen.out, row_line(row))
    show_notes(screen, screen.out, notes)


def row_line(row: PromptRow) -> str:
    """One prompt in words: `frames 0 to 39 (0.00 to 2.50 s): a red fox --neg blur`."""
    negative = f" --neg {one_line(row.negative)}" if row.negative else ""
    frames = f"frames {row.start} to {row.end - 1} ({row.start_seconds:.2f} to {row.end_seconds:.2f} s)"
    return f"{frames}: {one_line(row.prompt)}{negative}"
