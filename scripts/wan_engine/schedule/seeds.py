"""Seeds: how the start seed goes on from prompt to prompt, and from part to part of a long prompt."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import replace

from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings import SETTINGS, Settings

SEED_RANGE = 2**32
"""Seeds are 0 to 2**32 - 1."""

_PART_STEP = 0x9E3779B1
"""Odd, so that the parts' seeds all differ; 2**32 / golden ratio spreads them (Knuth, volume 3, section 6.4)."""


def fixed_seed(settings: Settings) -> Settings:
    """The settings with a start seed: -1 is drawn once; any other stays."""
    return replace(settings, seed=secrets.randbelow(SEED_RANGE)) if settings.seed == -1 else settings


def part_seed(seed: int, part: int) -> int:
    """The seed of part `part` (from 0) of a prompt that takes several clips; part 0 has the prompt's own."""
    return (seed + part * _PART_STEP) % SEED_RANGE


def prompt_seeds(settings: Settings, timeline: Timeline, starts: Sequence[int]) -> list[int]:
    """The seed of each prompt, 0 to 2**32 - 1; the behaviour moves on once a prompt, as Deforum's does once a frame.

    starts: first film frame of each prompt. Random seeds follow from the start seed, which must be set (`fixed_seed`).
    Raises InputError if the seed schedule cannot be read or computed.
    """
    if settings.seed < 0:
        raise ValueError("the start seed is not set; call fixed_seed first")
    if settings.seed_behavior == "schedule":
        return _scheduled(settings, timeline, starts)
    if settings.seed_behavior == "random":
        return [settings.seed, *(_drawn(settings.seed, "prompt", i) for i in range(1, len(starts)))][: len(starts)]
    return [(settings.seed + _offset(settings, i)) % SEED_RANGE for i in range(len(starts))]


def _offset(settings: Settings, index: int) -> int:
    """What is added to the start seed for prompt `index`. With iter, the first group is one prompt long."""
    if settings.seed_behavior == "iter":
        return -(-index // settings.seed_iter_n)
    if settings.seed_behavior == "ladder":
        return index // 2 + (2 if index % 2 else 0)
    return index % 2 if settings.seed_behavior == "alternate" else 0


def _scheduled(settings: Settings, timeline: Timeline, starts: Sequence[int]) -> list[int]:
    spec = SETTINGS["seed_schedule"]
    schedule = NumberSchedule.parse(settings.seed_schedule, timeline, spec.name, spec.minimum, spec.maximum)
    schedule.check(starts)
    values = [int(schedule.at(start)) for start in starts]
    return [_drawn(settings.seed, "frame", start) if v == -1 else v for v, start in zip(values, starts, strict=True)]


def _drawn(seed: int, what: str, number: int) -> int:
    """A random seed that is the same whenever the same film is planned."""
    return random.Random(f"{seed} {what} {number}").randrange(SEED_RANGE)
