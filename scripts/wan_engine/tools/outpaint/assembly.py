"""Finished chunks become the outpainted film and its contact sheet, beside the rendering, in film order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.media.pictures import resized
from wan_engine.media.sheet import MOST_ROWS, SheetRow, SheetWriter
from wan_engine.media.timed_film import TimedFilm, TimedOptions
from wan_engine.plan.model import Clip, Plan
from wan_engine.plan.seam import Seam
from wan_engine.render.background import Background
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.seams.meter import SeamMeter
from wan_engine.tools.outpaint.canvas import Canvas
from wan_engine.tools.outpaint.chunk_work import ChunkWork, Made
from wan_engine.tools.outpaint.geometry import Layout

if TYPE_CHECKING:
    from wan_engine.media.frame_times import FrameTimes
    from wan_engine.media.picture import Picture

_LOOKS = 4
"""Rows of the sheet of a film with a single scene."""


class OutpaintSheet(SheetWriter):
    """The sheet: the first frame of each scene, or some of a single one: before, canvas, mask, after."""

    def __init__(self, path: Path, plan: Plan, times: FrameTimes) -> None:
        starts = [clips[0].start for clips in plan.chains()]
        if len(starts) == 1:
            starts = sorted({plan.frames * number // _LOOKS for number in range(_LOOKS)})
        count = min(len(starts), MOST_ROWS)
        self._moments = [starts[number * len(starts) // count] for number in range(count)]
        rows = [
            SheetRow(tuple(range(4 * row, 4 * row + 4)), _caption(frame, float(times.seconds(frame))))
            for row, frame in enumerate(self._moments)
        ]
        super().__init__(path, rows)

    def look(self, canvas: Canvas, made: Made) -> None:
        """Take a frame, if it is one of those that are shown."""
        if made.number in self._moments:
            for picture in four_pictures(canvas, made):
                self.write(picture)


def _caption(frame: int, seconds: float) -> str:
    return f"before, canvas, mask, after: frame {frame}, {seconds:.2f} s"


def four_pictures(canvas: Canvas, made: Made) -> tuple[Picture, Picture, Picture, Picture]:
    """Before, canvas, mask and after, all of the finished film's size."""
    layout = canvas.layout
    before = np.zeros((layout.height, layout.width, 3), np.uint8)
    before[layout.kept.part()] = resized(made.source, layout.kept.width, layout.kept.height)
    return before, *shown(canvas, made), made.picture


def shown(canvas: Canvas, made: Made) -> tuple[Picture, Picture]:
    """Canvas and mask as the model is shown them, of the finished film's size."""
    layout, fill = canvas.layout, made.share.fill
    picture = canvas.picture(made.source, fill, made.number)
    picture = np.where(fill[..., None] > 0, canvas.ground(picture[layout.work_kept.part()], made.number), picture)
    mask = np.repeat(fill[..., None], 3, axis=2)
    return _of_film(layout, picture), _of_film(layout, mask)


def _of_film(layout: Layout, picture: Picture) -> Picture:
    return resized(
        np.ascontiguousarray(picture[: layout.used_height, : layout.used_width]), layout.width, layout.height
    )


class OutpaintAssembler(Background):
    """Makes the film's file from its chunks, in a thread of its own, as far as the chunks are there.

    Leaving the context waits for the last frame; left by an exception it leaves no film, and the chunks stay.
    """

    def __init__(self, plan: Plan, options: TimedOptions, sheet: Path, work: ChunkWork, cancelled: CancelCheck) -> None:
        super().__init__("assemble")
        self._plan = plan
        self._options = options
        self._sheet = sheet
        self._work = work
        self._canvas = work.canvas
        self._ready: set[int] = set()
        self._meter = SeamMeter(plan.joins())
        self._cancelled = cancelled

    @property
    def seams(self) -> tuple[Seam, ...]:
        """What the joins of the chunks look like; all of them when the film is whole."""
        return self._meter.seams

    def clip_ready(self, clip: Clip) -> None:
        """The chunk's frames are on disk."""
        self._work.finished(clip)
        with self.changed:
            self.raise_error()
            self._ready.add(clip.index)
            self.changed.notify()

    def work(self) -> None:
        """Encode chunk after chunk; without all of them there is no film."""
        with ExitStack() as stack:
            sheet = stack.enter_context(OutpaintSheet(self._sheet, self._plan, self._options.times))
            stack.enter_context(self._meter)
            film = TimedFilm(self._options)
            stack.callback(film.abort)
            for made in self._frames():
                film.write(made.picture)
                self._meter.write(made.picture)
                sheet.look(self._canvas, made)
            if len(self._ready) == len(self._plan.clips):
                film.close()

    def _given_up(self) -> bool:
        """Whether the rendering has ended in an error or was stopped."""
        return self.failed

    def _frames(self) -> Iterator[Made]:
        for clip in self._plan.clips:
            with self.changed:
                while clip.index not in self._ready and not self.closing:
                    self.changed.wait()
                if clip.index not in self._ready:
                    return
            for made in self._work.film_frames(clip):
                if self._given_up():
                    return
                if len(self._ready) == len(self._plan.clips) and self._cancelled():
                    raise stopped()
                yield made
