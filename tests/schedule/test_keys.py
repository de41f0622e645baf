"""Keys become film frames, exactly."""

from __future__ import annotations

import math
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.keys import LARGEST_FRAME, parse_key
from wan_engine.schedule.timeline import Timeline

FILM = Timeline(frames=101, fps=Fraction(16), seed=40)
RATES = st.sampled_from([Fraction(16), Fraction(24), Fraction(24000, 1001), Fraction(25, 2), Fraction(240)])


@pytest.mark.parametrize(
    ("key", "frame"),
    [
        ("30", 30),
        (" 30\t", 30),
        ("+3", 3),
        ("-3", -3),
        ("007", 7),
        ("3.7", 3),
        ("-3.7", -3),
        (".9", 0),
        ('"30"', 30),
        ("'30'", 30),
        ("(30)", 30),
        ("(30", 30),
        ("2+2", 4),
        ("max_f", 100),
        ("max_f/2", 50),
        ("max_f/3", 33),
        ("-max_f/3", -33),
        ('"max_f-1"', 99),
        ("(max_f-1)", 99),
        (' "max_f - 2" ', 98),
        ("where(max_f > 50, 50, 10)", 50),
        ("s", 40),
        ("s/3", 13),
        ("1e2", 100),
        ("12.5s", 200),
        ("12.5 s", 200),
        ('"12.5s"', 200),
        ("0s", 0),
        (".5s", 8),
        ("5.s", 80),
        ("-1s", -16),
    ],
)
def test_reads_a_key(key: str, frame: int) -> None:
    assert parse_key(key, FILM, "prompts") == frame


@pytest.mark.parametrize(
    ("seconds", "fps", "frame"),
    [
        ("0.03125", "16", 1),
        ("0.03124", "16", 0),
        ("-0.03125", "16", 0),
        ("1", "24000/1001", 24),
        ("3600", "30000/1001", 107892),
    ],
)
def test_seconds_go_to_the_nearest_frame_a_half_one_up(seconds: str, fps: str, frame: int) -> None:
    assert parse_key(f"{seconds}s", Timeline(10, Fraction(fps), 0), "prompts") == frame


@given(st.integers(0, 10**6), st.integers(0, 3), RATES)
def test_seconds_are_never_more_than_half_a_frame_off(digits: int, places: int, fps: Fraction) -> None:
    seconds = Fraction(digits, 10**places)
    text = f"{digits // 10**places}.{digits % 10**places:0{places}d}s" if places else f"{digits}s"
    frame = parse_key(text, Timeline(10, fps, 0), "prompts")
    assert Fraction(-1, 2) < frame - seconds * fps <= Fraction(1, 2)


@given(st.integers(-LARGEST_FRAME, LARGEST_FRAME))
def test_whole_numbers_are_themselves(frame: int) -> None:
    assert parse_key(str(frame), FILM, "prompts") == frame


@given(st.integers(1, 10**5), st.integers(1, 20))
def test_arithmetic_is_cut_towards_zero(frames: int, divisor: int) -> None:
    film = Timeline(frames, Fraction(16), 0)
    assert parse_key(f"max_f/{divisor}", film, "prompts") == math.trunc((frames - 1) / divisor)
    assert parse_key(f"-max_f/{divisor}", film, "prompts") == -math.trunc((frames - 1) / divisor)


WRONG = [
    ("", 1, "frame number"),
    ("  ", 3, "frame number"),
    ('""', 1, "frame number"),
    ("t", 1, "max_f, s"),
    ("  max_g", 3, '"max_f"'),
    ('"max_f-"', 8, "Write a number"),
    ("3 4", 3, "operator"),
    ("1/0", 2, "where("),
    ("max_f/(s-40)", 6, "where("),
    ("9**9**9", 2, "smaller"),
    ("1e400", 1, "smaller"),
    ("1000000001", 1, "inside the film"),
    ("1e30", 1, "inside the film"),
    ("9" * 150 + "s", 1, "inside the film"),
    ("12.5m", 1, "multiply"),
    ("0:05", 2, "functions"),
    ("max_f.real", 6, "Attributes"),
]


@pytest.mark.parametrize(("key", "column", "remedy"), WRONG, ids=[row[0][:20] for row in WRONG])
def test_what_is_no_key_is_an_error_with_its_place(key: str, column: int, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_key(key, FILM, "prompts")
    (problem,) = caught.value.problems
    assert (problem.field, problem.key, problem.column) == ("prompts", key.strip()[:80], column)
    assert problem.part == "key"
    assert remedy in problem.remedy


@pytest.mark.parametrize("key", ["9" * 10**6, "(" * 10**6, "s" * 10**6, "1" * 10**6 + "s", "-" * 10**6 + "1"])
def test_huge_keys_end_in_an_error_at_once(key: str) -> None:
    def seconds() -> float:
        start = time.process_time()
        with pytest.raises(InputError):
            parse_key(key, FILM, "prompts")
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.05


@given(st.text(max_size=40))
def test_any_text_is_a_frame_or_an_error(key: str) -> None:
    error = None
    try:
        frame = parse_key(key, FILM, "prompts")
    except InputError as raised:
        error = raised
    if error is None:
        assert isinstance(frame, int)
        assert abs(frame) <= LARGEST_FRAME
    else:
        assert error.problems[0].message
        assert error.problems[0].remedy
