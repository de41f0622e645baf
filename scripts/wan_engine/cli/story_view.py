"""Shows storyboards to people: a table in a terminal, lines elsewhere; and how far planning and pictures are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wan_engine.cli.screen import Screen, one_line
from wan_engine.cli.stop import StopSignals, announce_plainly
from wan_engine.errors import Cancelled
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.schedule.storyboard import Storyboard, StoryKeyframe

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"note": "yellow", "planning": "cyan", "storyboard": "cyan", "usage": "cyan", "keyframe_done": "green"}


def show_story(screen: Screen, console: Console, story: Storyboard) -> None:
    """Write the storyboard: each keyframe, and the segments between them."""
    starts = story.starts()
    title = f"Storyboard: {one_line(story.title)}; {len(story.segments)} segments, {story.seconds:g} s"
    screen.line(console, title, style="bold")
    for name in ("style", "continuity"):
        if getattr(story, name):
            screen.line(console, f"{name.capitalize()}: {one_line(getattr(story, name))}")
    for character in story.characters:
        screen.line(console, f"Character {one_line(character.name)}: {one_line(character.look)}")
    rows = list(_rows(story, starts))
    if screen.is_rich(console):
        _show_table(console, rows)
        return
    for place, seconds, words, state in rows:
        screen.line(console, f"{place}, {seconds} s{f', {state}' if state else ''}: {words}")


def _rows(story: Storyboard, starts: tuple[float, ...]) -> Iterator[tuple[str, str, str, str]]:
    """What, its second or duration, its words, and of a keyframe how its picture stands."""
    for number, keyframe in enumerate(story.keyframes):
        if number:
            segment = story.segments[number - 1]
            camera = f" ({one_line(segment.camera)})" if segment.camera else ""
            yield f"Segment {number}", f"{segment.seconds:g}", f"{one_line(segment.prompt)}{camera}", ""
        yield f"Keyframe {number}", f"at {starts[number]:g}", one_line(keyframe.description), _state(keyframe)


def _state(keyframe: StoryKeyframe) -> str:
    if not keyframe.image:
        return "no picture yet"
    return "locked" if keyframe.locked else "picture"


def _show_table(console: Console, rows: list[tuple[str, str, str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("words", overflow="fold", ratio=1)
    table.add_column("picture", no_wrap=True)
    for place, seconds, words, state in rows:
        style = "magenta" if place.startswith("Keyframe") else "green"
        colour = {"picture": "green", "locked": "cyan"}.get(state, "yellow")
        table.add_row(Text(place, style=style), Text(seconds), Text(words), Text(state, style=colour))
    console.print(table)


@contextmanager
def story_watched(screen: Screen, again: str) -> Iterator[tuple[Report, CancelCheck]]:
    """What planning and pictures report to and ask, a line an event, while Ctrl-C means stop.

    again: how to go on, for the error of work that was stopped.
    """

    def report(event: Event) -> None:
        place = f" ({event.steps_done} of {event.steps_total})" if event.steps_total else ""
        screen.line(screen.err, f"{one_line(event.message)}{place}", style=_STYLES.get(event.kind, ""))

    with StopSignals(announce_plainly) as stop:
        try:
            yield report, stop.wanted
        except Cancelled as error:
            raise Cancelled("the work was stopped", again) from error
