"""A look before the long run: one frame on its canvas, its mask, and what the model makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.backends import Backend, ClipRequest
from wan_engine.backends.control import Control
from wan_engine.errors import InputError, Problem
from wan_engine.render.events import CancelCheck, Event, Report, stopped
from wan_engine.tools.outpaint.assembly import four_pictures
from wan_engine.tools.outpaint.canvas import Canvas
from wan_engine.tools.outpaint.checking import Checked
from wan_engine.tools.outpaint.chunk_work import Made, Painting, Source
from wan_engine.tools.outpaint.chunks import SHORTEST, Chunk
from wan_engine.tools.outpaint.mixing import finished_frame

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture
    from wan_engine.tools.outpaint.regions import Share


@dataclass(frozen=True)
class Preview:
    """One frame. canvas and mask are as the model is shown them; after is what came of it, None before it was made."""

    checked: Checked
    painting: Painting
    chunk: Chunk
    first: tuple[Picture, Share]
    after: Picture | None = None

    def pictures(self) -> dict[str, Picture]:
        """The pictures by name: before, canvas, mask, and after if it was made; all of the finished film's size."""
        source, share = self.first
        made = Made(self.chunk.start, source, share, source if self.after is None else self.after)
        named = dict(zip(("before", "canvas", "mask", "after"), four_pictures(self._canvas, made), strict=True))
        return named if self.after is not None else {name: named[name] for name in ("before", "canvas", "mask")}

    @property
    def _canvas(self) -> Canvas:
        return self.painting.canvas

    def rendered(self, backend: Backend, report: Report, cancelled: CancelCheck) -> Preview:
        """The preview with the finished frame: a chunk of a few frames, of which the first is taken.

        Raises as `Backend.start`, and Cancelled within a step.
        """
        plan, layout = self.checked.expected, self.checked.layout
        clip = replace(plan.clips[0], frames=self.chunk.frames, intervals=self.chunk.frames - 1)
        plan = replace(plan, clips=(clip,))
        plan = replace(plan, resolved=backend.resolve(plan))
        backend.settle_memory(plan)
        control = Control(lambda: self.painting.control(self.chunk, ()), self._canvas.shown)
        run = backend.start(ClipRequest(clip, layout.work_width, layout.work_height, control=control))
        while run.steps_done < clip.steps:
            if cancelled():
                raise stopped()
            run.step()
            done = run.steps_done
            report(Event("step", "", 0, 1, done, clip.steps, done, clip.steps))
        made: Iterator[Picture] = islice(run.frames(), 1)
        source, share = self.first
        return replace(self, after=finished_frame(layout, source, next(made), share))


def look_at_one(checked: Checked, folder: Path, frame: int = 0) -> Preview:
    """Canvas and mask of a frame. folder: where pictures of noise are kept.

    The film is decoded from its beginning up to there. Raises MediaError, InputError for a frame that it has not.
    """
    noise = checked.noise and replace(checked.noise, count=1)
    canvas = replace(checked, noise=noise).canvas(folder)
    painting = Painting(Source(checked.order.film), checked.layout, checked.region(), canvas)
    seen = sum(1 for _ in painting.source.frames(frame, frame + SHORTEST))
    if not seen:
        raise InputError(Problem(f"the film has no frame {frame}", "Give an earlier one", field="frame"))
    chunk = Chunk(0, frame, frame + seen, 0, SHORTEST)
    first = next(painting.frames(frame, frame + 1))
    return Preview(checked, painting, chunk, first)
