"""Which prompt is seen when: Deforum's rules, and better where it fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.schedule.prompts import PromptSchedule, PromptSpan
from wan_engine.schedule.timeline import Timeline
from yardstick import slowness


def timeline(frames: int = 6, fps: int = 16, seed: int = 7) -> Timeline:
    return Timeline(frames, Fraction(fps), seed)


def seen(prompts: dict[str, str], frames: int = 6) -> list[str]:
    schedule = PromptSchedule.parse(prompts, timeline(frames))
    return [schedule.at(frame).positive for frame in range(frames)]


@pytest.mark.parametrize(
    ("prompts", "frames", "expected"),
    [
        ({"0": "A", "3": "B"}, 6, "AAABBB"),
        ({"2": "A", "4": "B"}, 6, "AAAABB"),  # the first one covers what is before it
        ({"4": "B", "0": "A"}, 6, "AAAABB"),  # the order of the keys does not matter
        ({"0": "A", "10": "B"}, 6, "AAAAAA"),  # never reached
        ({"0": "A", "2+2": "B"}, 6, "AAAABB"),
        ({"0": "A", "3.7": "B"}, 6, "AAABBB"),  # cut, not rounded
        ({"10": "B"}, 4, "BBBB"),  # the only one
        ({"0": "A", "max_f-1": "B"}, 6, "AAAABB"),
        ({"0": "A", '"max_f"': "B"}, 6, "AAAAAB"),
        ({"0": "A", " 3": "B"}, 6, "AAABBB"),
        ({"0": "A", "0.25s": "B"}, 6, "AAAABB"),
        ({"0": "A", "3": "B", "1+2": "C"}, 6, "AAACCC"),  # two keys for one frame: the last
        ({"-3": "A", "2": "B"}, 6, "BBBBBB"),  # no effect ...
        ({"-3": "A"}, 6, "AAAAAA"),  # ... unless there is nothing else
        ({"20": "A", "10": "B"}, 6, "AAAAAA"),  # none inside: Deforum shows the first that stands there
        ({"007": "B", "0": "A"}, 10, "AAAAAAABBB"),
    ],
)
def test_a_prompt_holds_until_the_next_key(prompts: dict[str, str], frames: int, expected: str) -> None:
    assert "".join(seen(prompts, frames)) == expected


def test_recorded_prompt_keys(deforum_cases: Callable[[str], list[dict[str, Any]]]) -> None:
    for case in deforum_cases("prompt_hold_2d3d"):
        if "expected" in case:
            assert seen(case["input"]["prompts"], case["input"]["max_frames"]) == case["expected"], case["id"]
        else:
            assert seen(case["input"]["prompts"], case["input"]["max_frames"]), case["id"]  # fails in Deforum only


def test_recorded_compositions(deforum_cases: Callable[[str], list[dict[str, Any]]]) -> None:
    for case in deforum_cases("prompt_composition"):
        given_ = case["input"]
        schedule = PromptSchedule.parse(given_["prompts"], timeline(100), given_["positive"], given_["negative"])
        for key, expected in case["expected"].items():
            prompt = schedule.at(int(key))
            assert (prompt.positive, prompt.negative) == (expected["positive"], expected["negative"]), case["id"]


def test_recorded_splits_and_math(deforum_cases: Callable[[str], list[dict[str, Any]]]) -> None:
    for case in [*deforum_cases("prompt_split"), *deforum_cases("prompt_backtick_math")]:
        given_ = case["input"]
        prompt = PromptSchedule.parse({"0": given_["prompt"]}, timeline(given_["max_frames"])).at(given_["frame"])
        if "error" in case:
            continue  # fails in Deforum only: parsing and evaluating it was the test
        expected = case["expected"]
        positive, _, negative = (
            expected.partition("--neg") if isinstance(expected, str) else (expected[0], "", expected[1])
        )
        assert (prompt.positive, prompt.negative) == (positive.strip(), negative.strip()), case["id"]


@pytest.mark.parametrize(
    ("positive", "negative", "prompt", "expected"),
    [
        ("masterpiece", "nsfw", "a cat", ("masterpiece a cat", "nsfw")),
        ("masterpiece", "nsfw", "a dog --neg blue", ("masterpiece a dog", "blue  nsfw")),
        ("", "", "a cat", ("a cat", "")),
        ("p", "--neg bad", "x", ("p x", "bad")),
        ("", "", "  a cat \n --neg \t dark ", ("a cat", "dark")),
        ("", "a --neg b", "x --neg c", ("x", "c  a  b")),
        ("`t` of", "`max_f`", "x", ("0 of x", "5")),
        ("", "", "--neg only", ("", "only")),
        ("", "", "", ("", "")),
    ],
)
def test_boxes_are_joined_to_every_prompt(positive: str, negative: str, prompt: str, expected: tuple[str, str]) -> None:
    found = PromptSchedule.parse({"0": prompt}, timeline(), positive, negative).at(0)
    assert (found.positive, found.negative) == expected


def test_spans_carry_the_keys_of_the_user() -> None:
    schedule = PromptSchedule.parse({"max_f/2": "B", "1": "A"}, timeline(9))
    assert schedule.spans == (PromptSpan("1", 0, 4), PromptSpan("max_f/2", 4, 9))


@given(
    st.dictionaries(st.integers(-50, 400), st.sampled_from(["a", "b", "c"]), min_size=1, max_size=40),
    st.integers(1, 300),
)
def test_spans_partition_the_film(keys: dict[int, str], frames: int) -> None:
    schedule = PromptSchedule.parse({str(key): text for key, text in keys.items()}, timeline(frames))
    owned = [frame for span in schedule.spans for frame in range(span.start, span.end)]
    assert owned == list(range(frames))
    for span in schedule.spans:
        assert span.start < span.end
        assert schedule.at(span.start).positive == schedule.at(span.end - 1).positive == keys[int(span.key)]
        assert span.start in (0, int(span.key))


def test_math_goes_on_within_a_span() -> None:
    schedule = PromptSchedule.parse({"0": "(cat:`1+t/4`) --neg `s`"}, timeline(5, seed=12))
    assert [schedule.at(frame).positive for frame in (0, 2, 4)] == ["(cat:1.0)", "(cat:1.5)", "(cat:2.0)"]
    assert schedule.at(0).negative == "12"


def test_notes_name_what_is_never_seen() -> None:
    prompts = {"0": "A", "0+0": "B", "-1": "C", "99": "D", "5": "``"}
    assert PromptSchedule.parse(prompts, timeline()).notes == (
        'prompts: keys for the same frame, the last is used: "0 and 0+0"',
        'prompts: never seen, outside the film (frames 0 to 5): "-1", "99"',
        'prompts, key "5": the backticks at column 1 hold no math; 1 is used',
    )
    assert "seen throughout" in PromptSchedule.parse({"99": "D"}, timeline()).notes[0]


def problems(prompts: dict[str, str], positive: str = "", negative: str = "") -> list[tuple[str, str, int | None]]:
    with pytest.raises(InputError) as caught:
        PromptSchedule.parse(prompts, timeline(), positive, negative)
    assert all(problem.remedy for problem in caught.value.problems)
    return [(problem.field, problem.key, problem.column) for problem in caught.value.problems]


def test_all_problems_come_together_with_their_places() -> None:
    prompts = {"0": "a --neg b --neg c", "x": "d", "1": "e `1+`", "2": "ab `t", "3": "`1/(t-3)`", "4": "`foo(t)`"}
    assert problems(prompts, "p --neg q", "`+`") == [
        ("positive_prompt", "", 3),
        ("negative_prompt", "", 3),
        ("prompts", "x", 1),
        ("prompts", "0", 11),
        ("prompts", "1", 6),
        ("prompts", "2", 4),
        ("prompts", "4", 2),
    ]


def test_math_is_evaluated_before_anything_is_rendered() -> None:
    assert problems({"0": "a", "3": "b `1/(t-3)`"}) == [("prompts", "3", 5)]


def test_a_box_that_fails_for_every_prompt_is_told_once() -> None:
    assert problems({str(frame): "a" for frame in range(6)}, "`1/(t*0)`") == [("positive_prompt", "", 3)]


def test_math_that_fails_later_is_an_input_error_too() -> None:
    schedule = PromptSchedule.parse({"0": "`1/(t-3)`"}, timeline())
    with pytest.raises(InputError, match="at frame 3"):
        schedule.at(3)


def test_without_prompts_there_is_no_film() -> None:
    with pytest.raises(InputError, match="there are no prompts"):
        PromptSchedule.parse({}, timeline())


def test_very_many_wrong_keys_are_told_briefly_and_quickly() -> None:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        PromptSchedule.parse({f"k{n}": "a" for n in range(100_000)}, timeline())
    assert len(caught.value.problems) < 60
    assert time.perf_counter() - began < 1


def test_a_thousand_prompts_take_a_moment() -> None:
    prompts = {str(10 * n): f"prompt {n} of many --neg bad" for n in range(1000)}
    seconds = []
    for _ in range(3):
        began = time.process_time()
        PromptSchedule.parse(prompts, timeline(10_000), "best", "worst")
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.1 * slowness()
