"""Resampling in time: exact, streaming, two frames at most."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import MediaError
from wan_engine.media.picture import Picture
from wan_engine.media.timing import resample


def grey(*levels: int) -> Iterator[Picture]:
    return (np.full((2, 3, 3), level, np.uint8) for level in levels)


def levels(frames: Iterator[Picture]) -> list[int]:
    found = []
    for frame in frames:
        assert frame.shape == (2, 3, 3)
        assert frame.dtype == np.uint8
        found.append(int(frame[0, 0, 0]))
    return found


def times(*texts: str) -> list[Fraction]:
    return [Fraction(text) for text in texts]


def test_nearest_rounds_half_up() -> None:
    asked = times("0", "49/100", "1/2", "1", "3/2", "149/100", "2")
    assert levels(resample(grey(10, 20, 30), sorted(asked), "nearest")) == [10, 10, 20, 20, 20, 30, 30]


def test_blend_is_linear_and_rounds_half_up() -> None:
    asked = times("0", "1/4", "1/3", "1/2", "1", "3/2")
    assert levels(resample(grey(0, 1, 255), asked, "blend")) == [0, 0, 0, 1, 1, 128]


def test_whole_times_give_the_frames_themselves() -> None:
    source = list(grey(1, 2, 3))
    for how in ("nearest", "blend", "flow"):
        made = list(resample(iter(source), times("0", "1", "1", "2"), how))
        assert [frame is source[index] for frame, index in zip(made, (0, 1, 1, 2), strict=True)] == [True] * 4


def test_frame_after_the_last_time_is_not_needed() -> None:
    assert levels(resample(grey(5), times("0"), "blend")) == [5]


def test_clip_that_is_too_short() -> None:
    with pytest.raises(MediaError, match="ends after 2 frames and frame 2 is needed"):
        list(resample(grey(1, 2), times("0", "3/2"), "blend"))


@pytest.mark.parametrize("asked", [("1", "1/2"), ("-1/2",)])
def test_times_never_go_back(asked: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="goes back"):
        list(resample(grey(1, 2), times(*asked), "nearest"))


def test_unknown_way() -> None:
    with pytest.raises(ValueError, match="no way"):
        list(resample(grey(1), times("0"), "cubic"))


def test_no_times() -> None:
    assert list(resample(grey(1), [], "blend")) == []


@given(
    st.lists(st.integers(0, 255), min_size=2, max_size=12),
    st.lists(st.fractions(0, 1, max_denominator=10_000), max_size=20),
    st.sampled_from(["nearest", "blend"]),
)
def test_equals_the_definition(values: list[int], shares: list[Fraction], how: str) -> None:
    asked = sorted(share * (len(values) - 1) for share in shares)
    expected = []
    for time in asked:
        index = int(time)
        weight = time - index
        if how == "nearest":
            expected.append(values[int(time + Fraction(1, 2))])
        else:
            mixed = values[index] * (1 - weight) + (values[index + 1] * weight if weight else 0)
            expected.append(int(mixed + Fraction(1, 2)))
    assert levels(resample(grey(*values), asked, how)) == expected


def test_great_denominators_stay_exact() -> None:
    weight = Fraction(2**40 - 1, 2**41)  # a hair under one half
    assert levels(resample(grey(0, 255), [weight, Fraction(1, 2)], "blend")) == [127, 128]


def test_two_frames_in_memory() -> None:
    alive: weakref.WeakSet[Picture] = weakref.WeakSet()
    most = 0

    class Tracked(np.ndarray):  # plain arrays take no weak references in a set
        __hash__ = object.__hash__

    def source() -> Iterator[Picture]:
        nonlocal most
        for level in range(200):
            most = max(most, len(alive))
            frame = np.full((2, 3, 3), level, np.uint8).view(Tracked)
            alive.add(frame)
            yield frame
            del frame

    asked = [Fraction(number * 199, 1000) for number in range(1000)]
    for frame in resample(source(), asked, "blend"):
        del frame
    assert 1 <= most <= 2


def test_sixteen_to_thirty_keeps_the_pace() -> None:
    """Film frames at 30 fps over one second of model frames at 16 fps: each lies at its own time."""
    asked = [Fraction(frame * 16, 30) for frame in range(30)]
    made = levels(resample(grey(*range(0, 170, 10)), asked, "blend"))
    assert made == [int(time * 10 + Fraction(1, 2)) for time in asked]
    assert all(later > earlier for earlier, later in itertools.pairwise(made))


def test_flow_moves_what_a_blend_doubles() -> None:
    """A bar between two frames stands in the middle of its way, once."""
    pictures = [np.full((48, 96, 3), 20, np.uint8) for _ in range(2)]
    for picture, left in zip(pictures, (30, 38), strict=True):
        picture[12:36, left : left + 16] = 220
    (moved,) = resample(iter(pictures), [Fraction(1, 2)], "flow")
    (blended,) = resample(iter(pictures), [Fraction(1, 2)], "blend")
    truth = np.full((48, 96, 3), 20, np.uint8)
    truth[12:36, 34:50] = 220
    errors = [np.abs(made.astype(int) - truth).mean() for made in (moved, blended)]
    assert errors[0] < errors[1] / 2
