"""The film's time as schedules see it: how many frames, how fast, and the seed they start from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Timeline:
    """What every schedule of one film is read against.

    frames: length of the film, at least 1.  fps: its exact rate in frames a second.  seed: the start seed, `s`.
    """

    frames: int
    fps: Fraction
    seed: int

    @property
    def max_f(self) -> int:
        """The variable `max_f`: number of the last frame. The same in keys, values and prompts."""
        return self.frames - 1
