"""How long segments should be: durations that the video model makes as they are, without stretching time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from wan_engine.families import Family, Lineup, Mode
from wan_engine.plan.timing import LATENT_STRIDE, round_half_up
from wan_engine.settings import Settings, parse_fps

USUAL = Fraction(3)
"""Seconds of a segment where nobody says; 1.5 to 4 are advised for first-last-frame films."""
SHORT = Fraction(3, 2)
"""Seconds below which motion gets stiff."""
_BETWEEN_PICTURES: tuple[Mode, ...] = ("flf2v", "vace", "i2v", "t2v")


@dataclass(frozen=True)
class Lengths:
    """Good durations of a model: multiples of `step` seconds up to `most`, which it makes at once."""

    step: Fraction
    most: Fraction

    @property
    def usual(self) -> Fraction:
        """The duration of a segment where nobody says."""
        return self.fit(min(USUAL, self.most))

    @property
    def short(self) -> Fraction:
        """The shortest duration that moves well."""
        return self.fit(min(SHORT, self.most))

    def fit(self, seconds: Fraction) -> Fraction:
        """The nearest good duration; above `most` the multiple of `step` that takes several clips."""
        return self.step * max(1, round_half_up(seconds / self.step))

    def share(self, total: Fraction, weights: Sequence[Fraction]) -> list[Fraction]:
        """`total` seconds in good parts that go by the weights, each at least one step; their sum is the nearest good.

        weights: above 0, one at least.
        """
        steps = max(len(weights), round_half_up(total / self.step))
        whole = sum(weights)
        wanted = [steps * weight / whole for weight in weights]
        counts = [max(1, int(each)) for each in wanted]
        while sum(counts) < steps:
            behind = max(range(len(counts)), key=lambda number: wanted[number] - counts[number])
            counts[behind] += 1
        while sum(counts) > steps:
            ahead = max(
                (number for number, count in enumerate(counts) if count > 1),
                key=lambda number: counts[number] - wanted[number],
            )
            counts[ahead] -= 1
        return [self.step * count for count in counts]


def lengths_for(settings: Settings, lineup: Lineup) -> Lengths:
    """The good durations of the model that goes between two pictures."""
    family = _family(lineup)
    rate = parse_fps(settings.model_fps) or Fraction(family.fps)
    intervals = (family.native_frames - 1) // LATENT_STRIDE * LATENT_STRIDE
    return Lengths(step=LATENT_STRIDE / rate, most=intervals / rate)


def _family(lineup: Lineup) -> Family:
    mode = next(mode for mode in _BETWEEN_PICTURES if lineup.can(mode))
    return lineup.card(mode).family
