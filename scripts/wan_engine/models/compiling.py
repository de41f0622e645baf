"""Decides whether a film's transformers run with compiled blocks: where what it saves is more than the compiling takes.

Compiling changes the last bits of 16-bit numbers, so what was decided is kept in the plan.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wan_engine.models.memory.profiles import Profile
from wan_engine.plan.model import Clip

SAVED_SHARE = 0.15
"""Share of a step's time that compiled blocks save: 0.15 (14B) to 0.18 (14B in Q4_K) on an H200 (docs/memory.md)."""
COMPILE_SECONDS = 40.0
"""Seconds that torch takes to compile the blocks for one length of clip: 6 to 18 there, on 16 cores."""
MOST_LENGTHS = 6
"""Lengths that are compiled in one film: torch keeps eight variants of a function."""


@dataclass(frozen=True)
class Compiling:
    """What was decided. frames: lengths of the clips (model frames) whose blocks are compiled.  reason: in words."""

    frames: tuple[int, ...]
    reason: str


def choose_compiling(
    asked: str, device: str, profile: Profile, clips: Sequence[Clip], forward_seconds: Callable[[int], float]
) -> Compiling:
    """For which clips to compile. asked: `auto`, `on` or `off`.  profile: of the memory.

    forward_seconds: expected of one forward of a clip of so many frames; asked for only where it matters.
    """
    if asked == "off":
        return Compiling((), "off, as set")
    forwards = Counter[int]()
    for clip in clips:
        forwards[clip.frames] += clip.steps * (2 if clip.guidance_scale > 1 else 1)
    if asked == "on":
        return Compiling(_most(forwards), "on, as set")
    why_not = _unfit(device, profile, clips)
    if why_not:
        return Compiling((), f"off: {why_not}")
    saved = {frames: count * forward_seconds(frames) * SAVED_SHARE for frames, count in forwards.items()}
    paying = {frames: seconds for frames, seconds in saved.items() if seconds > COMPILE_SECONDS}
    best = max(saved.values(), default=0.0)
    about = f"{COMPILE_SECONDS:.0f} s of compiling for each length of clip"
    if not paying:
        return Compiling((), f"off: it would save about {best:.0f} s and take about {about}")
    return Compiling(_most(paying), f"on: it saves about {sum(paying.values()):.0f} s, less about {about}")


def kept_compiling(frames: object, clips: Sequence[Clip]) -> Compiling | None:
    """What was decided when the film was begun, if the plan tells: a film that goes on looks as it began."""
    if not isinstance(frames, list) or not all(isinstance(each, int) for each in frames):
        return None
    there = {clip.frames for clip in clips}
    return Compiling(tuple(each for each in frames if each in there), "as the film was begun")


def _most(counts: Mapping[int, float]) -> tuple[int, ...]:
    """The lengths with the most of it, in order."""
    return tuple(sorted(sorted(counts, key=lambda frames: -counts[frames])[:MOST_LENGTHS]))


def _unfit(device: str, profile: Profile, clips: Sequence[Clip]) -> str:
    """Why compiling is not tried unasked; "" if it is."""
    if not device.startswith("cuda"):
        return "only CUDA devices gain from it"
    if importlib.util.find_spec("triton") is None:
        return "triton, which torch compiles with, is not installed"
    if profile.transformer == "blocks":
        return f"under the memory profile {profile.name} its gain was never measured"
    if len({clip.loras for clip in clips}) > 1:
        return "the clips have different LoRAs, and each change compiles anew"
    return ""
