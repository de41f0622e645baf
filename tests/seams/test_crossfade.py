"""Leading one clip over into the next: the picture at the join goes on, things keep their place, new ones are clean."""

from __future__ import annotations

import numpy as np
import pytest

from wan_engine.seams.crossfade import settled


def square(left: int, level: int = 200, height: int = 64, width: int = 96) -> np.ndarray:
    """A textured square on a textured ground, its left side at a column."""
    ground = np.random.default_rng(1).integers(60, 90, (height // 4, width // 4, 3), dtype=np.uint8)
    picture = ground.repeat(4, axis=0).repeat(4, axis=1)
    spots = np.random.default_rng(2).integers(level - 30, level, (6, 6, 3), dtype=np.uint8)
    picture[20:44, left : left + 24] = spots.repeat(4, axis=0).repeat(4, axis=1)
    return picture


def test_what_is_otherwise_comes_in_evenly() -> None:
    own = square(30)
    last = own + np.uint8(9)
    pictures = list(settled(last, own, iter([own] * 10), 8))
    assert len(pictures) == 10
    off = [float((picture.astype(int) - own).mean()) for picture in pictures]
    assert off == pytest.approx([8, 7, 6, 5, 4, 3, 2, 1, 0, 0])
    assert pictures[9] is own


def test_two_clips_that_agree_are_left_alone() -> None:
    following = [square(30 + number) for number in range(5)]
    for picture, as_made in zip(settled(square(29), square(29), iter(following), 4), following, strict=True):
        assert np.array_equal(picture, as_made)


def test_a_fault_moves_along_with_the_thing_it_lies_on() -> None:
    own, following = square(20), [square(20 + 2 * number) for number in range(1, 5)]
    last = own.copy()
    last[20:44, 20:44] += 20
    third = list(settled(last, own, iter(following), 8))[2].astype(int) - following[2]
    inside, behind = third[24:40, 30:46], third[24:40, 18:24]
    assert inside.mean() == pytest.approx(20 * 6 / 9, abs=3)
    assert abs(behind.mean()) < 3


def test_what_is_new_in_the_picture_is_not_touched() -> None:
    own, new = square(30), np.full((64, 96, 3), 5, np.uint8)
    last = np.clip(own.astype(int) + 20, 0, 255).astype(np.uint8)
    (picture,) = settled(last, own, iter([new]), 1)
    assert np.abs(picture.astype(int) - new).max() <= 1
