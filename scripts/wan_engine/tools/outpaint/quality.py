"""Measures outpainting with the small model on clips that training never saw, by all that a film goes through.

Each clip is cut where its shape is halfway, left, right, above or below in turn, and outpainted back to its size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.backends import Backend
from wan_engine.families import Lineup
from wan_engine.plan.model import Plan
from wan_engine.plan.seam import Join, Seam
from wan_engine.render.chain import ChainJob, render_chain
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.progress import Progress
from wan_engine.seams.meter import measure
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tiny.judge import look
from wan_engine.tiny.quality import Figure, eight_bits, percent
from wan_engine.tiny.world import CAPTIONS, HELD_OUT, Canvas, Caption, Dice, render, steady
from wan_engine.tools.outpaint.canvas import Grey
from wan_engine.tools.outpaint.chunk_work import ChunkWork, Painting
from wan_engine.tools.outpaint.geometry import Box, Layout
from wan_engine.tools.outpaint.planning import FilmLength, Planner
from wan_engine.tools.outpaint.regions import Share, Sharing, region_of

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

SIDE = 64
FRAMES = 33
FEATHER = 4
"""Pixels; a film of usual size has 25."""
_LONG = 57
"""Frames of clips of two chunks."""
_NEAR = 3.0
"""Pixels that a shape may be off where it goes on."""
_STILL = 1.0
"""Grey levels a pixel: a gradient below it is not seen, and no ratio is made of it."""
_NEIGHBOURS = 8
"""Columns or rows inside each side of the border that its gradient is compared with."""


@dataclass(frozen=True)
class CutClip:
    """A clip to be outpainted. frames: whole, (n, 64, 64, 3).  kept: what is left of them."""

    caption: Caption
    frames: Picture
    kept: Box

    @property
    def vertical(self) -> bool:
        """Whether the border is a column, left or right of what is kept."""
        return self.kept.width < SIDE

    @property
    def border(self) -> int:
        """First column or row behind the border."""
        if self.vertical:
            return self.kept.right if self.kept.left == 0 else self.kept.left
        return self.kept.bottom if self.kept.top == 0 else self.kept.top


@dataclass(frozen=True)
class _Remembered:
    """The kept part of a clip as a source."""

    pictures: Picture

    def frames(self, start: int, end: int) -> Iterator[Picture]:
        yield from self.pictures[start:end]


@dataclass(frozen=True)
class Outcome:
    """What came of one clip.

    kept: whether every pixel behind the feather is as it was.  continues: whether the shape is where it should be, in
    every frame looked at.  gradient: across the border, as a multiple of that inside.  seams: of its chunks.
    """

    kept: bool
    continues: bool
    gradient: float
    seams: tuple[Seam, ...]


def held_out_clips(count: int, frames: int = FRAMES, seed: int = 11) -> Iterator[CutClip]:
    """Clips of captions that training never saw, each cut through where its shape is halfway."""
    import torch

    indices = torch.tensor([HELD_OUT[number % len(HELD_OUT)] for number in range(count)])
    clips = steady(Dice.of(seed), Canvas(SIDE, SIDE, frames), indices)
    pictures, centres = eight_bits(render(clips)), clips.centres[:, frames // 2].round().int().tolist()
    for number, (across, down) in enumerate(centres):
        boxes = (
            Box(across, 0, SIDE - across, SIDE),
            Box(0, 0, across, SIDE),
            Box(0, down, SIDE, SIDE - down),
            Box(0, 0, SIDE, down),
        )
        yield CutClip(CAPTIONS[int(indices[number])], pictures[number], boxes[number % 4])


def outpainted(clip: CutClip, backend: Backend, models: Lineup, seed: int) -> tuple[list[Picture], Share, Plan]:
    """The clip's frames made whole again, how they were mixed, and its plan."""
    box, count = clip.kept, len(clip.frames)
    layout = Layout(SIDE, SIDE, box, SIDE, SIDE, box, SIDE, SIDE, min(FEATHER, min(box.width, box.height) // 4))
    settings = OutpaintSettings(prompt=clip.caption.text, seed=seed)
    plan = Planner(settings, FilmLength(count, Fraction(16)), layout, models, {}).plan([(0, count)], {})
    plan = replace(plan, resolved={"backend": "wan", **backend.resolve(plan)})
    source = _Remembered(np.ascontiguousarray(clip.frames[:, box.top : box.bottom, box.left : box.right]))
    region = region_of(layout, "")
    with tempfile.TemporaryDirectory(prefix="wan-quality-") as folder:
        store = ClipStore(Path(folder), plan)
        work = ChunkWork(Painting(source, layout, region, Grey(layout)), store, match_colour=True)
        progress = Progress(plan, lambda event: None)
        job = ChainJob(plan, backend, store, progress, lambda: False, work.finished, work.request)
        render_chain(job, plan.clips)
        made = [each.picture for clip_ in plan.clips for each in work.film_frames(clip_)]
    share = Sharing(layout).of(next(region.fills(0, 1)))
    return made, share, plan


def examine(clip: CutClip, backend: Backend, models: Lineup, seed: int) -> Outcome:
    """Outpaint a clip and judge it."""
    made, share, plan = outpainted(clip, backend, models, seed)
    joins = {each.start: Join("overlap") for each in plan.clips[1:]}
    pairs = list(zip(made, clip.frames, strict=True))
    behind = share.kept[..., 0] >= 1
    return Outcome(
        kept=all(np.array_equal(picture[behind], truth[behind]) for picture, truth in pairs),
        continues=all(_same(picture, truth, clip.caption) for picture, truth in pairs[::4]),
        gradient=border_gradient(np.stack(made), clip),
        seams=measure(iter(made), joins),
    )


def _same(picture: Picture, truth: Picture, caption: Caption) -> bool:
    seen, there = look(picture), look(truth)
    return seen.shows(caption) and (seen.x - there.x) ** 2 + (seen.y - there.y) ** 2 <= _NEAR**2


def border_gradient(frames: Picture, clip: CutClip) -> float:
    """The mean step across the border as a multiple of the usual step inside the kept and the new part beside it."""
    levels = frames.astype(np.float32).mean(axis=3)
    steps = np.abs(np.diff(levels, axis=2 if clip.vertical else 1)).mean(axis=(0, 1) if clip.vertical else (0, 2))
    at = clip.border - 1  # the step from the last pixel on one side to the first on the other
    near = [*range(max(0, at - _NEIGHBOURS), at), *range(at + 1, min(len(steps), at + 1 + _NEIGHBOURS))]
    usual = float(median(steps[near].tolist()))
    return max(float(steps[at]), _STILL) / max(usual, _STILL)


def measure_outpaint(
    backend: Backend, models: Lineup, count: int, long: int, said: Callable[[int], None] = lambda done: None
) -> list[Figure]:
    """The figures of `count` clips of one chunk and `long` clips of two. said: told how many are done."""
    outcomes, two = [], []
    for number, clip in enumerate(held_out_clips(count)):
        outcomes.append(examine(clip, backend, models, seed=number))
        said(number + 1)
    for number, clip in enumerate(held_out_clips(long, _LONG, seed=12)):
        two.append(examine(clip, backend, models, seed=number))
        said(count + number + 1)
    every = [*outcomes, *two]
    seams = [seam for each in two for seam in each.seams]
    figures = [
        Figure("kept pixels identical behind the feather", percent([each.kept for each in every]), 100, "%"),
        Figure("shape goes on across the border", percent([each.continues for each in outcomes]), 90, "%"),
        Figure("gradient across the border, mean", sum(each.gradient for each in every) / len(every), 1.5, "times", 2),
        Figure("gradient across the border at most 1.5", percent([each.gradient <= 1.5 for each in every]), 100, "%"),
    ]
    if seams:
        for name in ("difference", "warp", "motion"):
            values = [float(getattr(seam, name)) for seam in seams]
            figures.append(Figure(f"step between chunks, {name}, median", median(values), 1.3, "times", 2))
            figures.append(Figure(f"step between chunks, {name}, largest", max(values), 1.3, "times", 2))
        shapes = percent([each.continues for each in two])
        figures.append(Figure("shape goes on across the border, two chunks", shapes, 90, "%"))
    return figures
