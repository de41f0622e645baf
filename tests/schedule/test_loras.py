"""LoRAs as users name them: the lines of the setting, and the tags in prompts."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.loras import read_loras
from wan_engine.schedule.prompts import Prompt, PromptSchedule
from wan_engine.schedule.timeline import Timeline

TIMELINE = Timeline(100, Fraction(16), 7)


def at(lines: str, frame: int) -> list[tuple[str, float, str]]:
    found = [lora.at(frame) for lora in read_loras(lines, TIMELINE)]
    return [(lora.name, lora.weight, lora.expert) for lora in found]


def prompt(text: str, frame: int = 0, positive: str = "") -> Prompt:
    return PromptSchedule.parse({"0": text}, TIMELINE, positive).at(frame)


def tags(found: Prompt) -> list[tuple[str, float, str]]:
    return [(lora.name, lora.weight, lora.expert) for lora in found.loras]


@pytest.mark.parametrize(
    ("line", "frame", "expected"),
    [
        ("detail", 0, ("detail", 1.0, "")),
        ("detail: 0.8", 50, ("detail", 0.8, "")),
        ("  styles/ink wash v1.2 : -0.5", 0, ("styles/ink wash v1.2", -0.5, "")),
        ("detail: 0: (0), 50: (1)", 25, ("detail", 0.5, "")),
        ("detail: 0: (0), 50: (1) low", 50, ("detail", 1.0, "low")),
        ("detail: HIGH", 0, ("detail", 1.0, "high")),
        ("detail: t/100, both", 50, ("detail", 0.5, "both")),
    ],
)
def test_a_line(line: str, frame: int, expected: tuple[str, float, str]) -> None:
    assert at(line, frame) == [expected]


def test_lines_in_order_without_comments() -> None:
    assert at("\n# first\nb: 1\n\n  # second\na: 2", 0) == [("b", 1.0, ""), ("a", 2.0, "")]


@pytest.mark.parametrize(
    ("lines", "words", "place"),
    [
        ("a: 1\n: 0.5", "names no LoRA", ("", 2, 1)),
        ("a: 11", "out of range", ("a", 1, 3)),
        ("b: 1\n a: 0: (1), 9: (frog)", "frog", ("a", 2, 17)),
        ("a: 1 middle", "middle", ("a", 1, 6)),
    ],
)
def test_what_is_wrong_has_its_line_and_column(lines: str, words: str, place: tuple[str, int, int]) -> None:
    with pytest.raises(InputError) as caught:
        at(lines, 0)
    problem = caught.value.problems[0]
    assert words in problem.message
    assert (problem.key, problem.line, problem.column) == place
    assert problem.field == "loras"
    assert problem.remedy


def test_every_broken_line_is_told() -> None:
    with pytest.raises(InputError) as caught:
        read_loras("a: (\nb: 1\nc: )", TIMELINE)
    assert [problem.line for problem in caught.value.problems] == [1, 3]


@pytest.mark.parametrize(
    ("text", "rest", "expected"),
    [
        ("a cat <lora:ink:0.8> runs", "a cat runs", [("ink", 0.8, "")]),
        ("<lora:ink> a cat", "a cat", [("ink", 1.0, "")]),
        ("a cat<LoRA:styles/ink v2: -.5 >", "a cat", [("styles/ink v2", -0.5, "")]),
        ("a cat, <lora:a:1:High>, b <lora:b:2>", "a cat, , b", [("a", 1.0, "high"), ("b", 2.0, "")]),
        ("<lora:ink:`0.5+t/100`:low> it is `t` --neg dull", "it is 0", [("ink", 0.5, "low")]),
        ("<lora:ink:`where(t>5,1,0.25)`>", "", [("ink", 0.25, "")]),
        ("a < b > c <lora>", "a < b > c <lora>", []),
    ],
)
def test_a_tag_is_taken_out_of_the_prompt(text: str, rest: str, expected: list[tuple[str, float, str]]) -> None:
    found = prompt(text)
    assert found.positive == rest
    assert tags(found) == expected


def test_math_of_a_tag_goes_by_frame() -> None:
    schedule = PromptSchedule.parse({"0": "a <lora:ink:`t/100`>", "50": "b <lora:ink:`t/100`>"}, TIMELINE)
    assert [schedule.at(span.start).loras[0].weight for span in schedule.spans] == [0.0, 0.5]


def test_the_text_for_all_prompts_may_hold_tags() -> None:
    found = prompt("a cat <lora:b:2>", positive="oil <lora:a:0.5>")
    assert found.positive == "oil  a cat"
    assert tags(found) == [("a", 0.5, ""), ("b", 2.0, "")]
    assert found.loras[0].place == Problem("", field="positive_prompt", column=5)


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("a <lora:ink:0.8", "not closed", 3),
        ("a <lora:ink:strong>", '"strong" is no weight', 3),
        ("a <lora:ink:0.5:0.7>", '"0.7" is no expert, and a Wan LoRA has one weight', 3),
        ("a <lora:ink:1:high:x>", "more than name, weight and expert", 3),
        ("a <lora::1>", "has no name", 3),
        ("a <lora:`t`:1>", "has no name", 3),
        ("a <lora:ink:1`t`>", r"is no weight", 3),
        ("a <lora:ink:99>", "99 is out of range", 3),
        ("a <lora:ink:`99+t`>", "99 is out of range", 3),
        ("a <lora:ink:`1+frog`>", "frog", 16),
        ("a <lora:ink:`1/t`>", "at frame 0", 15),
        ("a --neg b <lora:ink:1>", "no effect on a negative prompt", 11),
    ],
)
def test_what_is_wrong_with_a_tag_has_its_column(text: str, words: str, column: int) -> None:
    with pytest.raises(InputError) as caught:
        prompt(text)
    (problem,) = caught.value.problems
    assert words in problem.message
    assert (problem.field, problem.key, problem.column) == ("prompts", "0", column)
    assert problem.remedy


def test_a_tag_in_the_negative_box_is_refused() -> None:
    with pytest.raises(InputError, match="negative_prompt, column 3: a LoRA tag has no effect on a negative prompt"):
        PromptSchedule.parse({"0": "a"}, TIMELINE, negative="x <lora:ink:1>")


def problems_of(read: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        read()
    except InputError as error:
        return error.problems
    return ()


@given(st.text(alphabet="<lora:x`1.5t >/-high", max_size=30))
def test_any_tag_is_read_or_a_problem(text: str) -> None:
    found = problems_of(lambda: prompt(f"a <lora:{text}>"))
    assert all(problem.field == "prompts" and problem.column for problem in found)


@given(st.text(max_size=40))
def test_any_lines_are_read_or_a_problem(text: str) -> None:
    assert all(problem.field == "loras" and problem.line for problem in problems_of(lambda: at(text, 3)))
