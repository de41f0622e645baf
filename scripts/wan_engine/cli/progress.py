"""Shows a render while it goes on: bars in a terminal, single lines at a sane rate elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self

from wan_engine.cli.plan_view import show_plan
from wan_engine.cli.screen import Screen, one_line, time_words
from wan_engine.cli.stop import STOPPING, announce_plainly
from wan_engine.plan.model import Plan
from wan_engine.render.events import Event
from wan_engine.words import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

STEP_LINE_SECONDS = 5.0
"""Least time between two step lines in plain text."""


class ProgressView(Protocol):
    """Takes a render's events; used as a context manager around the render.

    last_words: what puts the terminal right when the process ends in the middle.
    """

    last_words: bytes

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def report(self, event: Event) -> None:
        """Show one event."""

    def stopping(self) -> None:
        """Show that the work stops soon; called from a signal handler."""


def progress_view(screen: Screen, plan: Plan) -> ProgressView:
    """The view that fits stderr. `plan` is shown when the render has said where its files lie."""
    return BarView(screen, plan) if screen.is_rich(screen.err) else LineView(screen, plan)


def event_line(event: Event) -> str:
    """One event in words; `""` for one that needs none."""
    clip = f"Clip {event.clip + 1} of {event.clips}"
    left = "" if event.seconds_left is None else f", about {time_words(event.seconds_left)} left"
    more = f": {event.message}" if event.message else ""
    return {
        "started": f"Output directory{more}",
        "loading": f"Loading the model{more}",
        "clip_started": f"{clip}{more or ' begins'}",
        "step": f"{clip}: step {event.step} of {event.steps}{left}",
        "decoding": f"{clip}: decoding",
        "clip_done": f"{clip} saved{more}{left}",
        "encoding": f"Writing the film{more}",
        "film_done": f"Finished{more}",
    }.get(event.kind, event.message)


class _View:
    """What both views do: write an event's line, and the plan once it is said where the files lie."""

    def __init__(self, screen: Screen, plan: Plan | None) -> None:
        self._screen = screen
        self._plan = plan
        self._loading_told = False
        self.last_words = b""

    def _write(self, event: Event) -> None:
        if event.kind == "loading":
            # Said for each clip, but only the first one waits for it.
            told, self._loading_told = self._loading_told, True
            if told:
                return
        if event.attempt is not None and event.attempt.outcome == "used" and not self._screen.verbose:
            return
        style = {"note": "yellow", "tried": "yellow", "film_done": "green"}.get(event.kind, "")
        self._screen.line(self._screen.err, one_line(self._words(event)), style=style)
        if event.kind == "started" and self._plan is not None:
            show_plan(self._screen, self._plan, self._screen.err)

    def _words(self, event: Event) -> str:
        return event_line(event)


class LineView(_View):
    """One line an event; steps no oftener than every few seconds."""

    def __init__(self, screen: Screen, plan: Plan | None) -> None:
        super().__init__(screen, plan)
        self._last_step = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is held."""

    def report(self, event: Event) -> None:
        """Write the event's line."""
        if event.kind == "step":
            if time.monotonic() - self._last_step < STEP_LINE_SECONDS:
                return
            self._last_step = time.monotonic()
        self._write(event)

    def stopping(self) -> None:
        """Say so at once."""
        announce_plainly()


class LiveBars:
    """Bars below the lines of a terminal, drawn by rich's own thread. last_words: as a `ProgressView` has them."""

    def __init__(self, screen: Screen) -> None:
        from rich.live import Live
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._stopping = False
        # rich hides the cursor while it draws.
        self.last_words = b"" if screen.err.legacy_windows else b"\x1b[?25h\n"
        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(complete_style="cyan", finished_style="green"),
            TextColumn("{task.fields[words]}", markup=False),
        ]
        self.bars = Progress(*columns, TimeElapsedColumn(), console=screen.err)
        self._live = Live(get_renderable=self._picture, console=screen.err, refresh_per_second=5, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def stopping(self) -> None:
        """Let the next picture say so; rich's thread draws it soon."""
        self._stopping = True

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        return Group(self.bars, Text(STOPPING, style="yellow")) if self._stopping else self.bars


class BarView(LiveBars, _View):
    """Bars for the film and the clip under the lines of what is done."""

    def __init__(self, screen: Screen, plan: Plan) -> None:
        _View.__init__(self, screen, plan)
        LiveBars.__init__(self, screen)
        self._film = self.bars.add_task("film", total=None, words="")
        self._clip = self.bars.add_task("clip", total=None, words="")

    def report(self, event: Event) -> None:
        """Move the bars; write a line above them for all but steps."""
        left = "" if event.seconds_left is None else f"{time_words(event.seconds_left)} left"
        if event.clips:
            words = f"{counted(event.clips, 'clip')}  {left}"
            self.bars.update(self._film, total=event.steps_total, completed=event.steps_done, words=words)
        if event.steps:
            words = f"step {event.step} of {event.steps}"
            name = f"clip {event.clip + 1}"
            self.bars.update(self._clip, total=event.steps, completed=event.step, description=name, words=words)
        if event.kind != "step":
            self._write(event)
