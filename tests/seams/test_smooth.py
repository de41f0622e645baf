"""Softened joins: as many frames as before, the rest untouched, moving things kept sharp by the flow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.media.picture import Picture
from wan_engine.plan.seam import Join
from wan_engine.seams.meter import measure
from wan_engine.seams.smooth import REACH, smoothed


def bars(count: int, jump_at: int = 1000) -> list[Picture]:
    """A bar that goes right two pixels a frame; from `jump_at` on everything is brighter."""
    made = []
    for number in range(count):
        picture = np.full((48, 160, 3), 40, np.uint8)
        picture[12:36, 6 + 2 * number : 22 + 2 * number] = 200
        made.append(picture + np.uint8(20 * (number >= jump_at)))
    return made


@given(st.integers(0, 14), st.lists(st.integers(-2, 16), max_size=3), st.sampled_from(["none", "temporal_filter"]))
def test_as_many_frames_and_the_rest_untouched(count: int, joins: list[int], how: str) -> None:
    frames = bars(count)
    made = list(smoothed(iter(frames), joins, how))
    assert len(made) == count
    for number, (old, new) in enumerate(zip(frames, made, strict=True)):
        near = any(join - REACH <= number < join + REACH for join in joins) and 0 < number < count - 1
        assert near or new is old


def test_the_mix_is_one_two_one() -> None:
    levels = [np.full((16, 16, 3), level, np.uint8) for level in (0, 0, 100, 101)]
    made = list(smoothed(levels, [2], "temporal_filter"))
    assert [int(picture[0, 0, 0]) for picture in made] == [0, 25, 75, 101]


@pytest.mark.parametrize("how", ["temporal_filter", "optical_flow"])
def test_a_jump_of_brightness_is_softened(how: str) -> None:
    hard, soft = (measure(frames, {20: Join()})[0] for frames in (bars(40, 20), smoothed(bars(40, 20), [20], how)))
    assert soft.colour < 0.7 * hard.colour


def test_the_flow_keeps_what_moves_sharp() -> None:
    def edges(picture: npt.NDArray[np.uint8]) -> int:
        return int(np.abs(np.diff(picture[24, :, 0].astype(int))).max())

    plain = list(smoothed(bars(30), [15], "temporal_filter"))
    moved = list(smoothed(bars(30), [15], "optical_flow"))
    assert edges(plain[15]) < 130 < edges(moved[15])
