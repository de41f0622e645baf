"""Makes one project's film in several ways of continuity, side by side, and measures each: seams, colours, motion."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from wan_engine.errors import InputError, Problem
from wan_engine.film import make_film, plan_film
from wan_engine.media.pictures import write_png
from wan_engine.media.probe import every_frame
from wan_engine.plan.model import Plan, read_plan
from wan_engine.plan.seam import Seam
from wan_engine.render.events import CancelCheck, Report
from wan_engine.seams.steps import Look, look_at, most_moving
from wan_engine.settings import Settings
from wan_engine.tiny import judge, world

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


@dataclass(frozen=True)
class Way:
    """One way to make the film. changes: settings in place of the project's own.

    through: the film passes through the pictures that the first film made has at its seams.
    """

    name: str
    changes: Mapping[str, Any]
    through: bool = False

    def settings(self, project: Settings, first: ChainFilm | None) -> Settings:
        """The project's settings for this way. first: the film that was made before all others."""
        changed = replace(project, output_dir=str(Path(project.output_dir) / self.name), **self.changes)
        if not self.through:
            return changed
        assert first is not None, "check_ways was not asked"
        return replace(changed, guided_images=_seam_pictures(first, Path(changed.output_dir)))


_PLAIN = {"hold_colour": False, "pin_colour": 0.0, "seam_retries": 0, "seam_repair": "none"}
_LAST_FRAME = {**_PLAIN, "continuity": "last_frame"}
_OVERLAP = {**_PLAIN, "continuity": "overlap"}

WAYS = (
    Way("last_frame", _LAST_FRAME),
    Way("last_frame_held", {**_LAST_FRAME, "hold_colour": True}),
    Way("last_frame_mended", {**_LAST_FRAME, "seam_repair": "vace"}),
    Way("last_frame_faded", {**_LAST_FRAME, "seam_repair": "cross_fade"}),
    *(Way(f"overlap_{frames}", {**_OVERLAP, "overlap_frames": frames}) for frames in (5, 9, 13, 17)),
    Way("overlap_9_held", {**_OVERLAP, "overlap_frames": 9, "hold_colour": True}),
    Way("overlap_9_mended", {**_OVERLAP, "overlap_frames": 9, "seam_retries": 6, "seam_repair": "vace"}),
    Way("keyframes", _LAST_FRAME, through=True),
    Way("keyframes_mended", {**_LAST_FRAME, "seam_retries": 6, "seam_repair": "vace"}, through=True),
    Way("keyframes_faded", {**_LAST_FRAME, "seam_repair": "cross_fade"}, through=True),
)
"""Ways to make a film, by name."""


def named_ways(names: Sequence[str]) -> tuple[Way, ...]:
    """The ways of these names, all of them without any. Raises InputError."""
    known = {way.name: way for way in WAYS}
    for name in names:
        if name not in known:
            problem = Problem(f'"{name}" is no way to make a film', f"Known: {', '.join(known)}", field="way")
            raise InputError(problem)
    return tuple(known[name] for name in names) or WAYS


def check_ways(settings: Settings, ways: Sequence[Way]) -> None:
    """Plan the film in each way, so that what cannot be made is told before the first one. Raises what that raises."""
    if ways[0].through:
        message = f'"{ways[0].name}" takes its pictures from another film'
        raise InputError(Problem(message, "Name another way before it", field="way"))
    for way in ways:
        if not way.through:
            plan_film(way.settings(settings, None))


@dataclass(frozen=True)
class ChainFilm:
    """A film that was made in one way. seconds: that it took."""

    way: str
    film: Path
    plan: Plan
    seconds: float


@dataclass(frozen=True)
class ChainFigures:
    """What a film's seams, colours and motion are.

    seams: how many there are.  difference, motion: the seams' mean, as in `Seam`, and the one farthest from 1;
    motion where the text stays the same.  drift: from the first clip to the last, delta E.
    dynamic: mean motion of the 5 % of the picture that move most, in pixels a frame.
    jump: mean distance in pixels between where the shape is behind a seam and where its motion would have brought it;
    None unless the film shows the small model's shapes.
    """

    seams: int
    difference: float
    worst_difference: float
    motion: float
    worst_motion: float
    drift: float | None
    dynamic: float
    jump: float | None = None


def make_chain(settings: Settings, way: Way, first: ChainFilm | None, report: Report, stop: CancelCheck) -> ChainFilm:
    """Make a project's film in one way. settings: with a drawn seed and an output folder.

    Raises what `make_film` does, and InputError for a film without a file.
    """
    begun = time.monotonic()
    made = make_film(way.settings(settings, first), report, stop)
    if made.film is None or made.film.suffix != ".mp4":
        raise InputError(Problem("the film has no file to measure", "Use the codec h264 or hevc", field="codec"))
    return ChainFilm(way.name, made.film, read_plan(made.plan), time.monotonic() - begun)


def measure_chain(chain: ChainFilm, shapes: bool) -> ChainFigures:
    """The figures of a film, whose seams were measured when it was made.

    shapes: whether it shows the small model's world, whose shapes can be followed.
    """
    moved: list[float] = []
    at_seams: dict[int, Picture] = {}
    wanted = {number for frame in chain.plan.joins() for number in (frame - 1, frame)} if shapes else set()
    before: Look | None = None
    for number, frame in enumerate(every_frame(chain.film)):
        look = look_at(frame)
        if before is not None:
            moved.append(most_moving(before, look))
        if number in wanted:
            at_seams[number] = frame
        before = look
    dynamic = fmean(moved) if moved else 0.0
    return replace(_figures(chain.plan.seams), dynamic=dynamic, jump=_jump(at_seams, chain.plan))


def _figures(seams: Sequence[Seam]) -> ChainFigures:
    joined = [seam for seam in seams if seam.kind != "cut"]
    steps = [seam.difference for seam in joined]
    motions = [seam.motion for seam in joined if not seam.new_prompt]
    drift = next((seam.drift for seam in reversed(joined) if seam.drift is not None), None)
    return ChainFigures(len(joined), _mean(steps), _farthest(steps), _mean(motions), _farthest(motions), drift, 0.0)


def _mean(ratios: Iterable[float]) -> float:
    """The geometric mean: half as much and twice as much are as far from no change."""
    logs = [math.log(max(ratio, 0.01)) for ratio in ratios]
    return math.exp(fmean(logs)) if logs else 1.0


def _farthest(ratios: Iterable[float]) -> float:
    return max(ratios, key=lambda ratio: abs(math.log(max(ratio, 0.01))), default=1.0)


def _jump(frames: Mapping[int, Picture], plan: Plan) -> float | None:
    """Mean over the seams at which the text stays the same; None where no frame shows a shape.

    frames: those on both sides of the seams, by number.
    """
    jumps = []
    for frame, join in plan.joins().items():
        if join.kind in ("cut", "loop") or join.new_prompt or frame not in frames:
            continue
        before, behind = (judge.look(frames[number]) for number in (frame - 1, frame))
        clip = next(clip for clip in plan.clips if clip.start <= frame < clip.end)
        across, down = world.motion_in(clip.prompt)
        if before.shape and behind.shape:
            jumps.append(math.hypot(behind.x - before.x - across, behind.y - before.y - down))
    return fmean(jumps) if jumps else None


def _seam_pictures(chain: ChainFilm, folder: Path) -> dict[str, str]:
    """The frames at which a film's clips begin, as files for guided images."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {frame for frame, join in chain.plan.joins().items() if join.kind != "loop"}
    pictures = {}
    for number, frame in enumerate(every_frame(chain.film)):
        if number in wanted:
            path = folder / f"keyframe_{number:06d}.png"
            write_png(path, frame)
            pictures[str(number)] = str(path)
    return pictures
