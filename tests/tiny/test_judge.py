"""The judge of pictures: what it says of pictures with nothing, with faults, and of ways."""

from __future__ import annotations

import numpy as np
import pytest

from wan_engine.tiny.judge import Sighting, direction, look, psnr


def disc(colour: tuple[int, int, int], background: tuple[int, int, int], x: float, y: float) -> np.ndarray:
    rows, columns = np.indices((64, 64)) + 0.5
    inside = (columns - x) ** 2 + (rows - y) ** 2 < 100
    return np.where(inside[..., None], colour, background).astype(np.uint8)


def test_an_empty_picture_shows_no_shape() -> None:
    seen = look(np.full((64, 64, 3), 240, np.uint8))
    assert (seen.background, seen.colour, seen.shape, seen.area) == ("white", "", "", 0.0)


def test_a_disc_is_found_through_noise() -> None:
    picture = disc((230, 40, 40), (13, 13, 13), 40.0, 22.0).astype(float)
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 10, picture.shape), 0, 255).astype(np.uint8)
    seen = look(noisy)
    assert (seen.colour, seen.shape, seen.background) == ("red", "circle", "black")
    assert abs(seen.x - 40) < 0.5
    assert abs(seen.y - 22) < 0.5
    assert abs(seen.area - 314) < 20


@pytest.mark.parametrize(
    ("x", "y", "way"),
    [(8, 0, "right"), (-8, 3, "left"), (1, -9, "up"), (0, 5, "down"), (3, 3, "still")],
)
def test_directions(x: float, y: float, way: str) -> None:
    assert direction([Sighting("black", x=30, y=30), Sighting("black", x=30 + x, y=30 + y)]) == way


def test_psnr() -> None:
    grey = np.full((4, 4, 3), 100, np.uint8)
    assert psnr(grey, grey) == float("inf")
    assert psnr(grey, grey + 1) == pytest.approx(48.13, abs=0.01)
