"""Schedules by key: Deforum's results where Deforum has some, better ones where it stops."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.entries import MAX_PROBLEMS
from wan_engine.schedule.keyed import NumberSchedule, WordSchedule
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings import SETTINGS

SEED = 12345


def film(frames: int) -> Timeline:
    return Timeline(frames, Fraction(16), SEED)


def numbers(text: str, frames: int, **limits: float) -> NumberSchedule:
    return NumberSchedule.parse(text, film(frames), "guidance_scale", **limits)


def words(text: str, frames: int, choices: tuple[str, ...] = ()) -> list[str]:
    schedule = WordSchedule.parse(text, film(frames), "sampler", choices)
    return [schedule.at(frame) for frame in range(frames)]


def problems_of(call: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        call()
    for problem in caught.value.problems:
        assert problem.message
        assert problem.remedy
    return caught.value.problems


AS_IN_DEFORUM = [
    ("0:(1.0)", [1, 1, 1, 1, 1]),
    ("0: (0.65), 4: (0.25)", [0.65, 0.55, 0.45, 0.35, 0.25]),
    ("0:(0), 2:(1)", [0, 0.5, 1, 1, 1, 1]),
    ("0:(t)", [0, 1, 2, 3, 4]),
    ("0:(sin(t/10))", [0, 0.099833417, 0.198669331, 0.295520207]),
    ("0:(0), 3:(t*2)", [0, 2, 4, 6, 8, 10, 12]),
    ("0:(t), 3:(5)", [0, 1, 2, 5, 5, 5, 5]),
    ("0:(t), 3:(5), 5:(7)", [0, 1, 2, 5, 6, 7, 7, 7]),
    ("0:(max_f)", [3, 3, 3, 3]),
    ('0:(0), "max_f":(10)', [0, 2, 4, 6, 8, 10]),
    ("0:(0), max_f/2:(10), max_f:(0)", [0, 10 / 3, 20 / 3, 10, 20 / 3, 10 / 3, 0]),
    ("0:(0), max_f/2:(10), max_f:(0)", [0, 5, 10, 20 / 3, 10 / 3, 0]),
    ('0:(s), 1:(-1), "max_f-2":(-1), "max_f-1":(s)', [SEED, -1, -1, -1, SEED, SEED]),
    ("0:5", [5, 5, 5]),
    ("0:(5", [5, 5, 5]),
    ("0:('5')", [5, 5, 5]),
    ("0:(5, 10:(7)", [5, 5, 5]),
    ("0:(5, 2:(7)", [5, 6, 7, 7]),
    ("0:(1),0:(2)", [2, 2, 2]),
    ("0:(1.5), 10:(3)", [1.5, 1.5, 1.5, 1.5, 1.5]),
    ("-1:(4), 0:(2)", [2, 2, 2]),
    ("0:(1e-3), 2:(1)", [0.001, 0.001, 1]),
    ("0:(1), 2:(1e-3)", [1, 0.5005, 0.001]),
    ("0:( 1 ), 2:( 3 )", [1, 1, 3]),
    ("0:(5.), 2:(7)", [5, 5, 7]),
    ("0:(.5), 2:(+1.5)", [0.5, 1, 1.5]),
    ("0:(1):(2), 2:(3)", [1, 2, 3]),
    ("0:(1), 500:(foo)", [1, 1]),
    ("0:(foo), 0:(2)", [2, 2]),
]


@pytest.mark.parametrize(("text", "expected"), AS_IN_DEFORUM, ids=[f"{text} {len(v)}" for text, v in AS_IN_DEFORUM])
def test_numbers_are_those_of_deforum(text: str, expected: list[float]) -> None:
    assert numbers(text, len(expected)).values() == pytest.approx(expected, abs=1e-9)


def test_a_number_ramps_to_the_first_value_of_an_expression() -> None:
    values = numbers("0:(1.0), 30:(sin(t/10))", 40).values()
    assert values[30:33] == pytest.approx([math.sin(3), math.sin(3.1), math.sin(3.2)])
    assert values[15] == pytest.approx((1 + math.sin(3)) / 2)


BETTER_THAN_DEFORUM = [
    ("2:(1), 4:(3)", [1, 1, 1, 2, 3, 3, 3]),
    ("2:(t)", [2, 2, 2, 3, 4]),
    ("0:(where(t>2,1,0))", [0, 0, 0, 1, 1]),
    ("0:(where(t > 1, minimum(t, 3), 0)), 4:(arctan2(0, 1))", [0, 0, 2, 3, 0]),
    ("0:(1), 3:(2),", [1, 4 / 3, 5 / 3, 2]),
    ("0:(1), 3:(2) , , ", [1, 4 / 3, 5 / 3, 2]),
    (",0:(1),,3:(2)", [1, 4 / 3, 5 / 3, 2]),
    ("1.5:(4), 0:(2)", [2, 4, 4, 4]),
    ('0:("t*2")', [0, 2, 4]),
    ("0:('sin(t)')", [0, math.sin(1)]),
    ("0:(1), 0.25s:(5)", [1, 2, 3, 4, 5]),
    ("5", [5, 5]),
    (" 7.5 ", [7.5, 7.5]),
    ("(5)", [5, 5]),
    ("5,", [5, 5]),
    ("5+t/100", [5, 5.01, 5.02]),
    ("where(t>1, 2, 3)", [3, 3, 2]),
    ("1:(t**-1)", [1, 1, 0.5]),
    ("0:\n(1),\n2:\n(3)\n", [1, 2, 3]),
]


@pytest.mark.parametrize(("text", "expected"), BETTER_THAN_DEFORUM, ids=[text for text, _ in BETTER_THAN_DEFORUM])
def test_what_stops_deforum_is_read(text: str, expected: list[float]) -> None:
    assert numbers(text, len(expected)).values() == pytest.approx(expected, abs=1e-9)


READ_ALL_THE_SAME = {
    "numeric_schedule-04": [1, 1, 1, 2, 3, 3, 3],
    "numeric_schedule-18": [0, 0, 0, 1, 1],
    "numeric_schedule-33": [2, 4, 4, 4],
}


def test_recorded_number_schedules(deforum_cases: Callable[[str], list[dict[str, Any]]]) -> None:
    for case in deforum_cases("numeric_schedule"):
        given_, expected = case["input"], case.get("expected", READ_ALL_THE_SAME.get(case["id"]))
        timeline = Timeline(given_["max_frames"], Fraction(16), given_["seed"])
        try:
            values = NumberSchedule.parse(given_["schedule"], timeline, "x").values()
        except InputError:
            values = None
        assert values == (None if expected is None else pytest.approx(expected, abs=1e-8)), case["id"]


def test_recorded_word_schedules(deforum_cases: Callable[[str], list[dict[str, Any]]]) -> None:
    better = {"string_schedule-06": ["DDIM, PLMS"] * 3, "string_schedule-08": ["Euler a"] * 4}
    for case in deforum_cases("string_schedule"):
        expected = case.get("expected", better.get(case["id"]))
        assert words(case["input"]["schedule"], case["input"]["max_frames"]) == expected, case["id"]


KEYS_AND_VALUES = st.dictionaries(st.integers(0, 60), st.integers(-50, 50), min_size=1, max_size=8)


def written(values: dict[int, int]) -> str:
    return ", ".join(f"{key}: ({value})" for key, value in values.items())


@given(KEYS_AND_VALUES, st.integers(61, 80))
def test_numbers_hit_their_keys_and_stay_between_neighbours(values: dict[int, int], frames: int) -> None:
    schedule, keys = numbers(written(values), frames), sorted(values)
    found = schedule.values()
    for key in keys:
        assert found[key] == values[key]
    for first, last in pairwise(keys):
        low, high = sorted((values[first], values[last]))
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in found[first : last + 1])
    assert set(found[: keys[0]]) <= {values[keys[0]]}
    assert set(found[keys[-1] :]) == {values[keys[-1]]}
    assert schedule.notes == ()


@given(KEYS_AND_VALUES, st.integers(1, 30))
def test_keys_outside_the_film_change_nothing(values: dict[int, int], frames: int) -> None:
    inside = {key: value for key, value in values.items() if key < frames}
    schedule = numbers(written(values), frames)
    if inside:
        assert schedule.values() == numbers(written(inside), frames).values()
    else:
        assert set(schedule.values()) == {values[min(values)]}
    assert bool(schedule.notes) == (len(inside) < len(values))


@given(KEYS_AND_VALUES)
def test_an_expression_is_the_same_as_its_values_written_out(values: dict[int, int]) -> None:
    text = ", ".join(f"{key}: ({value} + t*t)" for key, value in values.items())
    keys = sorted(values)
    expected = [values[max((k for k in keys if k <= t), default=keys[0])] + max(t, keys[0]) ** 2 for t in range(61)]
    assert numbers(text, 61).values() == expected


def test_only_keys_outside_the_film_leave_one_value_and_a_note() -> None:
    for text, key in (("20:(9), 10:(5)", "10"), ("-5:(1), -2:(2)", "-2"), ("-5:(1), 10:(2)", "10")):
        schedule = numbers(text, 3)
        assert len(set(schedule.values())) == 1
        assert f'"{key}" is used throughout' in schedule.notes[0]
    assert numbers("10:(t)", 3).values() == [0, 1, 2]


def test_notes_say_what_was_left_out() -> None:
    notes = numbers("0:(1):(2), 99:(4), 0:(7), -1:(3)", 3).notes
    assert len(notes) == 3
    assert all(note.startswith("guidance_scale") for note in notes)
    assert 'second colon is left out: "0"' in notes[0]
    assert 'the last value counts: "0"' in notes[1]
    assert 'not used: "-1", "99"' in notes[2]
    assert '"104" and 95 more' in numbers("0:(1)," + ",".join(f"{k}:(1)" for k in range(100, 200)), 3).notes[0]


WRONG = [
    ("", "", None),
    (" , ", "", None),
    ("0 5", "", 3),
    ("abc:(1)", "abc", 1),
    ("0:(foo)", "0", 4),
    ("0:(1/0)", "0", 5),
    ("0:", "0", 3),
    ("0:()", "0", 4),
    ("0:(1), 30: (t and 2)", "30", 15),
    ("0:(1), 3:(2+, 5:(1)", "3", 13),
    ("0:(1 3:(2)", "0", 6),
    ("5, 10:(7)", "", 1),
    ("0:(5), :(6)", "", 8),
    ("0:(t,1)", "0", 5),
    ('0:(1), "max_g":(2)', '"max_g"', 9),
    ("0:(1), t:(2)", "t", 8),
    ("0:(1,000)", "0", 5),
]


@pytest.mark.parametrize(("text", "key", "column"), WRONG, ids=[row[0] for row in WRONG])
def test_what_cannot_be_read_is_an_error_with_its_place(text: str, key: str, column: int | None) -> None:
    problems = problems_of(lambda: numbers(text, 50))
    assert [(p.field, p.key, p.column) for p in problems] == [("guidance_scale", key, column)]


def test_all_problems_come_together_in_the_order_of_the_text() -> None:
    text = "0:(foo), bar:(1), 3:(1/0), 4:(2), 9**9**9:(t), 5:(t.x)"
    problems = problems_of(lambda: numbers(text, 50))
    assert [problem.key for problem in problems] == ["0", "bar", "3", "9**9**9", "5"]
    assert [problem.column for problem in problems] == [
        text.index(part) + 1 for part in ("foo", "bar", "/0", "**9**9", ".x")
    ]


def test_a_value_out_of_range_is_told_when_it_is_asked() -> None:
    schedule = numbers("0:(1), 10:(200), 20:(1)", 30, minimum=0, maximum=100)
    assert schedule.at(0) == 1
    (problem,) = problems_of(lambda: schedule.at(9))
    assert (problem.key, problem.column) == ("0", 3)
    assert "frame 9" in problem.message
    assert problem.remedy == "Give 0 to 100"
    assert "up to 1" in problems_of(lambda: numbers("2", 3, maximum=1).at(0))[0].remedy
    assert "5 or more" in problems_of(lambda: numbers("2", 3, minimum=5).at(0))[0].remedy


def test_limits_are_allowed_values() -> None:
    assert numbers("0:(0), 2:(100)", 3, minimum=0, maximum=100).values() == [0, 50, 100]


def test_a_frame_without_a_value_is_named() -> None:
    schedule = numbers("0: (3), 2: (1/(t-4))", 8)
    assert schedule.at(3) == -1
    (problem,) = problems_of(lambda: schedule.at(4))
    assert (problem.key, problem.column) == ("2", 14)
    assert "frame 4" in problem.message
    (problem,) = problems_of(lambda: numbers("0: (3), 4: (1/(t-4))", 8).at(1))
    assert problem.key == "4"
    assert "smaller" in problems_of(lambda: numbers("9" * 400, 2).at(0))[0].remedy


def test_check_tells_the_first_problem_of_each_key() -> None:
    schedule = numbers("0:(1), 10:(sqrt(15-t)), 20:(t*9)", 30, maximum=200)
    schedule.check([0, 10, 15, 20])
    problems = problems_of(lambda: schedule.check(range(30)))
    assert [problem.key for problem in problems] == ["10", "20"]
    assert "frame 16" in problems[0].message
    assert "frame 23" in problems[1].message
    assert problems_of(schedule.values) == problems


def test_words_hold_until_the_next_key() -> None:
    assert words('0: ("Euler a"), 2: ("DPM++ 2M")', 5) == ["Euler a"] * 2 + ["DPM++ 2M"] * 3
    assert words('3: (b), 1: ("a")', 5) == ["a", "a", "a", "b", "b"]
    assert words("0: (a, b), 1: (c),", 2) == ["a, b", "c"]
    assert words("unipc", 2) == ["unipc"] * 2
    assert words('0: ("12"), "max_f": (x)', 3) == ["12", "12", "x"]


def test_words_after_a_second_colon_are_left_out_with_a_note() -> None:
    schedule = WordSchedule.parse('0: ("a:b")', film(3), "sampler")
    assert schedule.at(2) == "a"
    assert "second colon" in schedule.notes[0]


def test_words_are_found_among_the_choices() -> None:
    choices = SETTINGS["sampler"].choices
    assert words('0: ("UniPC"), 1: (EULER)', 3, choices) == ["unipc", "euler", "euler"]
    problems = problems_of(lambda: words('0: ("eulr"), 1: (), x: (unipc)', 3, choices))
    assert [(p.key, p.column) for p in problems] == [("0", 4), ("1", 17), ("x", 21)]
    assert '"euler"' in problems[0].remedy


@given(st.text(alphabet="0123456789:(),.+-*/ \"'tsmaxf_sine\n", max_size=60), st.integers(1, 50))
def test_any_text_is_a_schedule_or_an_error_inside_it(text: str, frames: int) -> None:
    error = None
    try:
        assert all(math.isfinite(value) for value in numbers(text, frames).values())
    except InputError as raised:
        error = raised
    for problem in error.problems if error else ():
        assert problem.remedy
        assert problem.column is None or 1 <= problem.column <= len(text) + 1


HOSTILE = {
    "brackets": "0:(" + "(" * 390_000,
    "closing brackets": "0:(1)" + ")" * 390_000 + "x",
    "brackets in a key": "(" * 390_000 + ":(1)",
    "megabyte": "0:(" + "1+" * 500_000 + "1)",
    "long sum": "0:(" + "1+" * 190_000 + "1)",
    "colons": ":" * 390_000,
    "commas": "," * 390_000,
    "pieces": "a," * 190_000,
    "wrong keys": "x:y," * 90_000,
    "towers": "9**9**9:1," * 39_000,
    "towers as values": ",".join(f"{i}:9**9**9" for i in range(4_000)),
    "quotes": "0:" + "'" * 390_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_ends_in_an_error_at_once(text: str) -> None:
    def seconds() -> float:
        start = time.process_time()
        problems_of(lambda: numbers(text, 100))
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.05
    assert len(problems_of(lambda: numbers(text, 100))) <= MAX_PROBLEMS + 1


def test_many_keys_are_read_and_asked_quickly() -> None:
    text = ", ".join(f"{10 * i}: ({i % 7 + 1})" for i in range(1000))

    def seconds() -> float:
        start = time.process_time()
        schedule = numbers(text, 10_000)
        for frame in range(0, 10_000, 10):
            schedule.at(frame)
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.06


def test_brackets_without_end_are_refused_even_around_a_number() -> None:
    with pytest.raises(InputError, match="50 levels"):
        NumberSchedule.parse("0:(" + "(" * 900 + "1" + ")" * 900 + ")", film(10), "steps")
