"""The timing rule against brute force, worked rows and random frame rates."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.plan.timing import (
    frames_asked,
    intervals,
    longest_span,
    pinned_intervals,
    round_half_up,
    split,
)
from wan_engine.settings import parse_fps

FPS = st.sampled_from(
    ["1", "8", "12.5", "15", "16", "24000/1001", "23.976", "24", "25", "29.97", "30", "59.94", "60", "240"]
)
RATES = st.builds(lambda model, film: parse_fps(model) / parse_fps(film), FPS, FPS)
SPANS = st.integers(1, 20_000)
LIMITS = st.integers(1, 60).map(lambda k: 4 * k)


@pytest.mark.parametrize(
    ("value", "nearest"),
    [("0", 0), ("1/2", 1), ("3/2", 2), ("5/2", 3), ("49/100", 0), ("-1/2", 0), ("7/3", 2), ("8/3", 3)],
)
def test_halves_go_up(value: str, nearest: int) -> None:
    assert round_half_up(Fraction(value)) == nearest


@pytest.mark.parametrize(
    ("span", "film_fps", "model_fps", "expected", "asked"),
    [
        (60, "30", "16", 32, 33),
        (60, "60", "16", 16, 17),
        (30, "15", "16", 32, 33),
        (43, "60", "16", 11, 13),
        (3, "16", "16", 3, 5),
        (1, "240", "16", 1, 5),
        (1, "1", "16", 16, 17),
        (81, "16", "16", 81, 85),
        (80, "16", "16", 80, 81),
        (24, "24000/1001", "16", 16, 17),
        (1000, "30000/1001", "24", 801, 805),
        (25, "12.5", "16", 32, 33),
    ],
)
def test_worked_clips(span: int, film_fps: str, model_fps: str, expected: int, asked: int) -> None:
    assert intervals(span, parse_fps(model_fps) / parse_fps(film_fps)) == expected
    assert frames_asked(expected) == asked


@pytest.mark.parametrize(
    ("gap", "expected"), [(1, 4), (5, 4), (6, 8), (10, 12), (18, 20), (20, 20), (43, 44), (60, 60), (80, 80), (81, 80)]
)
def test_worked_gaps_between_two_pictures_at_the_models_rate(gap: int, expected: int) -> None:
    """Model frame 0 is the first picture and the last model frame is the second: nothing doubled, nothing cut off."""
    assert pinned_intervals(gap, Fraction(1), 80) == expected


@given(SPANS, RATES)
def test_a_clip_is_never_more_than_half_a_model_frame_off(span: int, rate: Fraction) -> None:
    count = intervals(span, rate)
    assert count >= 1
    assert abs(count - span * rate) <= Fraction(1, 2) or count == 1


@given(st.integers(1, 5000))
def test_frames_asked_is_the_smallest_that_holds_the_hand_over_frame(count: int) -> None:
    asked = frames_asked(count)
    assert asked % 4 == 1
    assert asked >= 5
    assert asked >= count + 1
    assert asked - 4 < count + 1


@given(SPANS, RATES, LIMITS)
def test_pinned_clips_are_multiples_of_four_and_the_nearest_allowed(span: int, rate: Fraction, limit: int) -> None:
    count = pinned_intervals(span, rate, limit)
    assert count % 4 == 0
    allowed = range(4, limit + 1, 4)
    assert abs(count - span * rate) == min(abs(candidate - span * rate) for candidate in allowed)


@given(RATES, st.integers(4, 240))
def test_longest_span_is_the_last_one_that_fits(rate: Fraction, limit: int) -> None:
    longest = longest_span(rate, limit)
    assert longest == 0 or intervals(longest, rate) <= limit
    assert intervals(longest + 1, rate) > limit


@given(RATES, LIMITS)
def test_what_fits_as_a_clip_fits_between_two_pictures(rate: Fraction, limit: int) -> None:
    """A span is split before it is known to be pinned, so the nearest multiple of 4 must not pass the limit."""
    longest = longest_span(rate, limit)
    assert 4 * round_half_up(longest * rate / 4) <= limit


@given(st.integers(0, 5000), SPANS, st.integers(1, 500), st.integers(1, 3))
def test_split_makes_the_fewest_equal_parts(start: int, span: int, longest: int, least: int) -> None:
    cuts = split(start, start + span, longest, least)
    sizes = [after - before for before, after in pairwise(cuts)]
    assert (cuts[0], cuts[-1]) == (start, start + span)
    assert min(sizes) >= 1
    assert max(sizes) <= longest
    assert max(sizes) - min(sizes) <= 1
    fewest = -(-span // longest)
    assert len(sizes) == min(span, max(fewest, least))
    assert fewest == 1 or (fewest - 1) * longest < span
