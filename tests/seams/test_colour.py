"""Colour drift that is known: learned from pairs, taken back, and never more than a drift."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.seams.colour import (
    MOST_GAIN,
    MOST_SHIFT,
    Correction,
    corrected,
    learn,
)

Picture = npt.NDArray[np.uint8]


def scene(seed: int, size: int = 48) -> Picture:
    """Soft random colours between 40 and 200."""
    coarse = np.random.default_rng(seed).uniform(40, 200, (6, 6, 3))
    picture: Picture = np.kron(coarse, np.ones((size // 6, size // 6, 1))).astype(np.uint8)
    return picture


def drifted(picture: Picture, gain: float, shift: float) -> Picture:
    result: Picture = np.clip(np.rint(picture * gain + shift), 0, 255).astype(np.uint8)
    return result


@given(st.floats(0.97, 1.03), st.floats(-4, 4), st.integers(0, 50))
def test_a_small_drift_is_taken_back(gain: float, shift: float, seed: int) -> None:
    known = [scene(seed), scene(seed + 100)]
    made = [drifted(picture, gain, shift) for picture in known]
    back = learn(known, made)
    other = scene(seed + 200)
    error = np.abs(corrected(drifted(other, gain, shift), back).astype(int) - other).mean()
    assert error < 1.2


@given(st.floats(0.5, 1.5), st.floats(-15, 15))
def test_it_is_never_more_than_a_drift(gain: float, shift: float) -> None:
    back = learn([scene(1)], [drifted(scene(1), gain, shift)])
    assert all(abs(each - 1) <= MOST_GAIN + 1e-9 for each in back.gain)
    assert all(abs(each) <= MOST_SHIFT + 1e-9 for each in back.shift)


def test_another_scene_teaches_nothing() -> None:
    assert learn([scene(1)], [scene(2)]) == Correction()
    assert learn([], []) == Correction()


def test_a_flat_picture_is_only_shifted() -> None:
    known, made = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 104, np.uint8)
    back = learn([known], [made])
    assert back.gain == pytest.approx((1, 1, 1), abs=1e-6)
    assert back.shift == pytest.approx((-4, -4, -4))


def test_equal_pairs_change_nothing() -> None:
    back = learn([scene(3)], [scene(3)])
    assert not back.does_something
    picture = scene(4)
    assert corrected(picture, back) is picture


def test_a_correction_is_told_in_words() -> None:
    back = Correction(shift=(-4.0, 0.0, 0.0))
    assert corrected(np.full((8, 8, 3), 100, np.uint8), back)[0, 0].tolist() == [96, 100, 100]
    assert back.words() == "gain 1.000 1.000 1.000, shift -4.0 +0.0 +0.0 levels"


def test_a_chain_that_drifts_is_held_to_less_than_half() -> None:
    """Each of twelve clips is a little redder than the one before; all that can be known of it is its first frames."""

    def chain(correct: bool) -> float:
        ends = scene(9)
        for _ in range(12):
            made = drifted(ends, 1.004, 0.8)
            ends = corrected(made, learn([ends], [made])) if correct else made
        return float(np.abs(ends.mean(axis=(0, 1)) - scene(9).mean(axis=(0, 1))).max())

    plain, held = chain(correct=False), chain(correct=True)
    assert plain > 8
    assert held < plain / 2


def test_noise_costs_no_contrast() -> None:
    """What the model makes differs from what is known by noise too; the gain stays at 1 all the same."""
    noise = np.random.default_rng(4).normal(0, 5, scene(3).shape)
    made = np.clip(scene(3) + noise, 0, 255).astype(np.uint8)
    assert learn([scene(3)], [made]).gain == pytest.approx((1, 1, 1), abs=0.01)
