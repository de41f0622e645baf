"""Shows storyboards to people: a table in a terminal, lines elsewhere; and how far planning and pictures are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from wan_engine.cli.log_file import logged
from wan_engine.cli.progress import LiveBars
from wan_engine.cli.screen import Screen, one_line
from wan_engine.cli.stop import StopSignals, announce_plainly
from wan_engine.errors import Cancelled
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.schedule.storyboard import Storyboard, StoryKeyframe
from wan_engine.words import counted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

_STYLES = {"note": "yellow", "planning": "cyan", "storyboard": "cyan", "usage": "cyan", "keyframe_done": "green"}
_WORDS = 60
"""Most characters beside a bar."""


def show_story(screen: Screen, console: Console, story: Storyboard) -> None:
    """Write the storyboard: each keyframe, and the segments between them."""
    starts = story.starts()
    title = f"Storyboard: {one_line(story.title)}; {counted(len(story.segments), 'segment')}, {story.seconds:g} s"
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


class StoryLines:
    """A line an event."""

    last_words = b""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is held."""

    def report(self, event: Event) -> None:
        """Write the event's line."""
        place = f" ({event.steps_done} of {event.steps_total})" if event.steps_total else ""
        self._screen.line(self._screen.err, f"{one_line(event.message)}{place}", style=_STYLES.get(event.kind, ""))

    def stopping(self) -> None:
        """Say so at once."""
        announce_plainly()


class StoryBar(LiveBars, StoryLines):
    """A bar for what goes on, under the lines of what is done."""

    def __init__(self, screen: Screen) -> None:
        StoryLines.__init__(self, screen)
        LiveBars.__init__(self, screen)
        self._task: TaskID | None = None

    def report(self, event: Event) -> None:
        """Show what goes on in the bar; write a line above it of what is done."""
        if event.kind in ("planning", "storyboard", "keyframe", "keyframe_done"):
            self._move(event)
        if event.kind not in ("storyboard", "keyframe"):
            super().report(event)

    def _move(self, event: Event) -> None:
        values: dict[str, Any] = {"total": None, "description": "storyboard", "words": one_line(event.message, _WORDS)}
        if event.steps_total:
            values |= {"total": event.steps_total, "completed": event.steps_done, "description": "pictures"}
        if self._task is None:
            self._task = self.bars.add_task(**values)
        else:
            self.bars.update(self._task, **values)


@contextmanager
def story_watched(screen: Screen, again: str) -> Iterator[tuple[Report, CancelCheck]]:
    """What planning and pictures report to and ask, while it is shown and Ctrl-C means stop.

    again: how to go on, for the error of work that was stopped.
    """
    made: StoryLines = StoryBar(screen) if screen.is_rich(screen.err) else StoryLines(screen)
    with made as view, StopSignals(view.stopping, view.last_words) as stop:
        try:
            with logged(screen, view.report) as report:
                yield report, stop.wanted
        except Cancelled as error:
            raise Cancelled("the work was stopped", again) from error
