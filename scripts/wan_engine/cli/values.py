"""The verb `values`: a numeric schedule written out, one number a frame."""

from __future__ import annotations

from typing import Annotated

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.inputs import FLAGS_PLACE
from wan_engine.cli.plan_view import show_notes
from wan_engine.cli.screen import Screen, write_json
from wan_engine.settings_check import settings_from_mapping


@verb()
def values(
    screen: Screen,
    schedule: Annotated[
        str, typer.Argument(metavar="SCHEDULE", help='The schedule, such as "0:(1.0), 30:(sin(t/10))".')
    ],
    max_frames: Annotated[
        str, typer.Option("--frames", "--max-frames", metavar="INTEGER", help="Length of the film in frames.")
    ] = "120",
    seed: Annotated[str, typer.Option(metavar="INTEGER", help="The value of s.")] = "0",
    fps: Annotated[str, typer.Option(metavar="RATE", help="Frames a second, for keys in seconds (2.5s).")] = "16",
) -> None:
    """Print a numeric schedule as a JSON list: its value at each frame."""
    from wan_engine.schedule.keyed import NumberSchedule
    from wan_engine.schedule.seeds import fixed_seed
    from wan_engine.schedule.timeline import Timeline

    settings = fixed_seed(settings_from_mapping({"max_frames": max_frames, "seed": seed, "fps": fps}, FLAGS_PLACE))
    timeline = Timeline(settings.max_frames, settings.film_fps, settings.seed)
    numbers = NumberSchedule.parse(schedule, timeline, "schedule")
    write_json(numbers.values())
    show_notes(screen, screen.err, numbers.notes)
