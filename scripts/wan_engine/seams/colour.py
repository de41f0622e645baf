"""Takes back the change of colour that a clip brings in, learned from frames that are known twice.

Besides, a chain's colours are pulled back slowly to those of its first clip, as far as all of it shows one text.

The first frames of a clip that goes on from another are made anew by the model although they are known. One transform
fitted on these pairs says how the clip's colours differ, and is held over the whole clip: a match of every frame to one
picture would pump as what is seen changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from wan_engine.seams.steps import difference, look_at

if TYPE_CHECKING:
    import numpy.typing as npt

    from wan_engine.media.picture import Picture

MOST_GAIN = 0.05
"""A channel is scaled by 5 % at most: more is no drift but another scene."""
MOST_SHIFT = 8.0
"""A channel is moved by 8 of 255 levels at most."""
ANOTHER_SCENE = 24.0
"""Pairs that differ by more than this many levels on average show different things; nothing is learned from them."""
MOST_PULL_GAIN, MOST_PULL_SHIFT = 0.02, 3.0
"""What one clip is pulled back at most, from its first frame to its last: slow enough not to be seen."""
_MEMORY = 0.5
"""Share of a clip in the running mean of a chain's colours; those before it have the rest."""
_SAMPLES = 20_000
_PULL = 25.0
"""Variance of a channel, in squared levels, from which on its gain is told from its shift."""


@dataclass(frozen=True)
class Correction:
    """Each channel times its gain plus its shift, levels of 255. Of RGB, in this order."""

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def does_something(self) -> bool:
        """Whether any pixel could come out another."""
        return any(abs(gain - 1) > 1e-3 for gain in self.gain) or any(abs(shift) > 0.25 for shift in self.shift)

    def towards(self, other: Correction, share: float) -> Correction:
        """The correction that lies at `share`, 0 to 1, of the way to another."""
        gain = (own + share * (theirs - own) for own, theirs in zip(self.gain, other.gain, strict=True))
        shift = (own + share * (theirs - own) for own, theirs in zip(self.shift, other.shift, strict=True))
        return Correction(_three(list(gain)), _three(list(shift)))

    def after(self, other: Correction) -> Correction:
        """Both: the other one first."""
        both = list(zip(self.gain, self.shift, other.gain, other.shift, strict=True))
        gain = [own * theirs for own, _, theirs, _ in both]
        return Correction(_three(gain), _three([own * shift + more for own, more, _, shift in both]))

    def words(self) -> str:
        """For the log: `gain 0.990 1.010 1.000, shift -1.2 +0.3 +0.0 levels`."""
        gains = " ".join(f"{gain:.3f}" for gain in self.gain)
        return f"gain {gains}, shift {' '.join(f'{shift:+.1f}' for shift in self.shift)} levels"


@dataclass(frozen=True)
class Colours:
    """Mean and standard deviation of red, green and blue, in levels of 255."""

    mean: tuple[float, float, float]
    spread: tuple[float, float, float]

    @classmethod
    def of(cls, pictures: Sequence[Picture]) -> Colours:
        """Those of some pictures together."""
        levels = _samples(pictures)
        return cls(_three(levels.mean(axis=0)), _three(levels.std(axis=0)))

    def followed(self, later: Colours) -> Colours:
        """The running mean (exponential) of a chain's colours, one clip later."""
        own, new = np.array([self.mean, self.spread]), np.array([later.mean, later.spread])
        mean, spread = own + _MEMORY * (new - own)
        return Colours(_three(mean), _three(spread))


def pull(chain: Sequence[Colours], share: float) -> Correction:
    """What brings the last clip's end back by `share` of the way to the first clip's colours, clamped.

    chain: colours of the chain's clips, the first one first, at least two.
    Nothing is pulled when the running mean is that of another scene.
    """
    first, now = chain[0], reduce(Colours.followed, chain)
    if max(abs(own - there) for own, there in zip(first.mean, now.mean, strict=True)) > ANOTHER_SCENE:
        return Correction()
    spreads = zip(first.spread, now.spread, strict=True)
    gains = np.array([math.sqrt((own**2 + _PULL) / (there**2 + _PULL)) for own, there in spreads])
    gains = np.clip(1 + share * (gains - 1), 1 - MOST_PULL_GAIN, 1 + MOST_PULL_GAIN)
    mean = np.array(now.mean)
    moved = np.clip(share * (np.array(first.mean) - mean), -MOST_PULL_SHIFT, MOST_PULL_SHIFT)
    return Correction(_three(gains), _three(mean + moved - gains * mean))


def learn(known: Sequence[Picture], made: Sequence[Picture]) -> Correction:
    """The correction that brings the made frames to the known ones, each pair of one size, clamped.

    Mean and spread of each channel are brought to those of the known frames, with a pull towards no gain: with few
    colours in the picture a gain cannot be told from a shift. Nothing is learned when the pairs show different scenes.
    """
    pairs = list(zip(known, made, strict=True))
    if not pairs or any(difference(look_at(old), look_at(new)) > ANOTHER_SCENE for old, new in pairs):
        return Correction()
    old, new = _samples(known), _samples(made)
    gains = np.clip([_gain(new[:, channel], old[:, channel]) for channel in range(3)], 1 - MOST_GAIN, 1 + MOST_GAIN)
    # The shift belongs to the clamped gain, so that the mean stays right.
    shifts = np.clip(old.mean(axis=0) - gains * new.mean(axis=0), -MOST_SHIFT, MOST_SHIFT)
    return Correction(_three(gains), _three(shifts))


def corrected(picture: Picture, correction: Correction) -> Picture:
    """The picture after the correction; the picture itself when that does nothing."""
    if not correction.does_something:
        return picture
    levels = picture * np.asarray(correction.gain, np.float32) + np.asarray(correction.shift, np.float32)
    made: Picture = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return made


def _samples(pictures: Sequence[Picture]) -> npt.NDArray[np.float64]:
    """Pixels spread evenly over the pictures: the same places in both halves of the pairs."""
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    return pixels[:: max(1, len(pixels) // _SAMPLES)].astype(np.float64)


def _gain(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> float:
    """The gain from source to target; the pull keeps that of a nearly flat channel at 1.

    The ratio of the spreads: a least-squares slope would be too small wherever the pairs differ by noise, and a long
    chain would lose its contrast bit by bit.
    """
    return math.sqrt((float(target.var()) + _PULL) / (float(source.var()) + _PULL))


def _three(values: npt.ArrayLike) -> tuple[float, float, float]:
    red, green, blue = np.asarray(values, np.float64)
    return float(red), float(green), float(blue)
