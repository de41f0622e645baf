"""Optical flow on pictures whose motion is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wan_engine.media.flow import between, fetched, flow_between


def blobs(shift: float) -> npt.NDArray[np.uint8]:
    """Soft spots that moved `shift` pixels to the right."""
    across, down = np.meshgrid(np.arange(96.0), np.arange(64.0))
    picture = np.full((64, 96, 3), 30.0)
    for number, (x, y) in enumerate(((30, 20), (60, 40), (45, 50), (20, 45))):
        spot = 180 * np.exp(-(((across - x - shift) ** 2) + (down - y) ** 2) / 40)
        picture[..., number % 3] += spot
    result: npt.NDArray[np.uint8] = np.clip(picture, 0, 255).astype(np.uint8)
    return result


def test_flow_finds_the_motion() -> None:
    flow = flow_between(blobs(0), blobs(4))
    spots = blobs(0).max(axis=2) > 100
    assert flow.shape == (64, 96, 2)
    assert abs(flow[..., 0][spots].mean() - 4) < 0.7
    assert abs(flow[..., 1][spots].mean()) < 0.5


def test_fetching_undoes_the_motion() -> None:
    first, second = blobs(0), blobs(4)
    undone = fetched(second, flow_between(first, second))
    error = np.abs(undone.astype(int) - first.astype(int)).mean()
    assert error < 0.3 * np.abs(second.astype(int) - first.astype(int)).mean()


def test_the_middle_is_nearer_than_a_blend() -> None:
    first, middle, second = blobs(0).astype(int), blobs(3).astype(int), blobs(6).astype(int)
    made = between(blobs(0), blobs(6), 0.5).astype(int)
    assert np.abs(made - middle).mean() < 0.5 * np.abs((first + second) // 2 - middle).mean()


def test_the_ends_are_the_pictures_themselves() -> None:
    first, second = blobs(0), blobs(5)
    assert between(first, second, 0) is first
    assert between(first, second, 1) is second
