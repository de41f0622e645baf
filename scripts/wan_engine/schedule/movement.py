"""Turns Deforum's camera schedules into words for each prompt: always the same words for the same numbers.

Signs, read in Deforum's published `animation.py`: in 2D the picture is moved, so what goes right is a camera that goes
left; in 3D the camera is moved and turned. One unit of a 3D translation is a 200th of the picture's half width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from wan_engine.schedule.film_schedule import read_schedule
from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.prompt_text import NEGATIVE
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings import Settings

_UNIT_3D = 200.0


@dataclass(frozen=True)
class _Axis:
    """How one schedule moves the camera.

    more, less: words where its values are above, and below, rest.  sway: where it goes to and fro.
    speed: from a value to what happens a frame, 0 at rest, in shares of the picture or degrees.
    least, slow, fast: a second; below `least` nothing is said, up to `slow` and from `fast` on an adverb is.
    """

    more: str
    less: str
    sway: str
    speed: Callable[[float, Settings], float]
    least: float
    slow: float
    fast: float


def _width(value: float, settings: Settings) -> float:
    return value / (settings.width or 512)


def _height(value: float, settings: Settings) -> float:
    return value / (settings.height or 512)


def _unit(value: float, _settings: Settings) -> float:
    return value / _UNIT_3D


def _degrees(value: float, _settings: Settings) -> float:
    return value


def _scale(value: float, _settings: Settings) -> float:
    return math.log(value) if value > 0 else 0.0


def _moves(more: str, less: str, sway: str, speed: Callable[[float, Settings], float]) -> _Axis:
    return _Axis(more, less, sway, speed, 0.01, 0.15, 0.6)


def _turns(more: str, less: str, sway: str) -> _Axis:
    return _Axis(more, less, sway, _degrees, 0.5, 8.0, 30.0)


AXES: dict[str, dict[str, _Axis]] = {
    "2D": {
        "translation_x": _moves("pans left", "pans right", "sways from side to side", _width),
        "translation_y": _moves("moves up", "moves down", "sways up and down", _height),
        "zoom": _moves("zooms in", "zooms out", "zooms in and out", _scale),
        "angle": _turns("rolls clockwise", "rolls counterclockwise", "rocks from side to side"),
    },
    "3D": {
        "translation_x": _moves("moves right", "moves left", "sways from side to side", _unit),
        "translation_y": _moves("moves up", "moves down", "sways up and down", _unit),
        "translation_z": _moves("moves forward", "moves backward", "moves to and fro", _unit),
        "rotation_3d_x": _turns("tilts up", "tilts down", "nods up and down"),
        "rotation_3d_y": _turns("pans right", "pans left", "pans to and fro"),
        "rotation_3d_z": _turns("rolls clockwise", "rolls counterclockwise", "rocks from side to side"),
    },
}
"""By Deforum's animation mode and the name of its schedule."""

_ONE_WAY = 0.3
"""Share of what is moved that must be left at the end for a movement to be one way."""
_LONGEST_LOOK = 2000
"""Frames of a prompt that are looked at; of longer ones evenly chosen ones."""


def with_movement(settings: Settings, camera: Mapping[str, str], mode: str) -> tuple[Settings, tuple[str, ...]]:
    """The settings with the camera's movement behind the words of each prompt, and notes on what was added.

    camera: Deforum's schedules by name.  mode: 2D or 3D. Raises InputError for a schedule that cannot be read.
    """
    timeline = Timeline(settings.max_frames, settings.film_fps, max(settings.seed, 0))
    axes = AXES.get(mode, {})
    schedules = {name: NumberSchedule.parse(str(camera[name]), timeline, name) for name in axes if name in camera}
    spans = read_schedule(replace(settings, seed=max(settings.seed, 0))).prompts.spans
    prompts, notes = dict(settings.prompts), []
    for span in spans:
        words = _words(schedules, axes, range(span.start, span.end), settings)
        if words and span.key in prompts:
            prompts[span.key] = _added(prompts[span.key], words)
            notes.append(f'Camera movement became words, prompt "{span.key}": {words}')
    return replace(settings, prompts=prompts), tuple(notes)


def without_words(camera: Mapping[str, str], mode: str) -> list[str]:
    """The schedules of these that `with_movement` has no words for."""
    return [name for name in camera if name not in AXES.get(mode, {})]


def _words(
    schedules: Mapping[str, NumberSchedule], axes: Mapping[str, _Axis], frames: range, settings: Settings
) -> str:
    """What the camera does over these frames: `the camera slowly pans left and zooms in`; "" where it rests."""
    step = max(1, len(frames) // _LONGEST_LOOK)
    told = []
    for name, schedule in schedules.items():
        axis = axes[name]
        speeds = [axis.speed(schedule.at(frame), settings) * float(settings.film_fps) for frame in frames[::step]]
        told.append(_movement(axis, speeds))
    said = [each for each in told if each]
    if not said:
        return ""
    return f"the camera {', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else f"the camera {said[0]}"


def _movement(axis: _Axis, speeds: list[float]) -> str:
    """One movement in words. speeds: a second, at each frame."""
    mean, amount = sum(speeds) / len(speeds), sum(map(abs, speeds)) / len(speeds)
    if amount < axis.least:
        return ""
    words = axis.sway if abs(mean) < _ONE_WAY * amount else axis.more if mean > 0 else axis.less
    adverb = "slowly " if amount <= axis.slow else "quickly " if amount >= axis.fast else ""
    return adverb + words


def _added(prompt: str, words: str) -> str:
    """A prompt with words behind its positive part."""
    positive, mark, negative = prompt.partition(NEGATIVE)
    kept = positive.rstrip().rstrip(",.")
    return f"{kept}, {words}{f' {mark}{negative}' if mark else ''}" if kept else prompt
