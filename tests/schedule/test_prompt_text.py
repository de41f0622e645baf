"""One prompt's text: math in backticks, --neg, and the places of what is wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.prompt_text import Origin, read_negative_box, read_positive_box, read_prompt
from wan_engine.schedule.timeline import Timeline

TIMELINE = Timeline(101, Fraction(16), 7)
ORIGIN = Origin("prompts", "0")


def written(text: str, frame: int = 50) -> tuple[str, str]:
    prompt = read_prompt(text, ORIGIN)
    return prompt.positive.at(TIMELINE, frame), prompt.negative.at(TIMELINE, frame)


@pytest.mark.parametrize(
    ("math", "frame", "expected"),
    [
        ("t/max_f", 50, "0.5"),
        ("sin(t/10)", 50, "-0.9589242746631385"),
        ("where(t>5,1,2)", 4, "2"),
        ("sqrt(t)", 4, "2.0"),  # a letter t in a name
        ("s/10", 5, "0.7"),
        ("1+t/100", 50, "1.5"),
        ("0.5+t/100", 30, "0.8"),
        ("1", 30, "1.0"),  # a plain number is a weight
        (" -1.50 ", 30, "-1.5"),
        ("2*3", 0, "6"),
        ("t", 12, "12"),
        ("exp(0-t)", 50, "1.9287498479639178e-22"),
        ("", 0, "1"),
        ("  ", 0, "1"),
    ],
)
def test_math_becomes_a_number(math: str, frame: int, expected: str) -> None:
    assert written(f"(cat:`{math}`)", frame) == (f"(cat:{expected})", "")


def test_blanks_and_everything_else_stay() -> None:
    assert written("a (dog:1.2) AND b --neg  c, `t`; d ") == ("a (dog:1.2) AND b ", "  c, 50; d ")


def test_neg_inside_math_is_no_cut() -> None:
    with pytest.raises(InputError) as caught:
        read_prompt("a `--neg` b", ORIGIN)
    assert caught.value.problems[0].column == 6


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("`t", 1),
        ("a `t` b `", 9),
        ("abc `t+`", 8),
        ("abc `foo`", 6),
        ("abc `(t`", 8),
        ("a --neg b --neg", 11),
        ("`a.b`", 3),
        ("`9**9**9`", 3),
    ],
)
def test_what_is_wrong_has_its_column(text: str, column: int) -> None:
    with pytest.raises(InputError) as caught:
        read_prompt(text, ORIGIN)
    problem = caught.value.problems[0]
    assert (problem.field, problem.key, problem.column) == ("prompts", "0", column)
    assert problem.remedy
    assert problem.part == "text"


def test_the_positive_box_may_not_hold_neg() -> None:
    with pytest.raises(InputError, match="negative prompt"):
        read_positive_box("a --neg b", Origin("positive_prompt"))


def test_the_negative_box_loses_every_neg() -> None:
    box = read_negative_box("--neg a --neg b `t`", Origin("negative_prompt"))
    assert box.negative.at(TIMELINE, 3) == " a  b 3"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="`")))
def test_text_without_math_stays_as_it_is(text: str) -> None:
    if text.count("--neg") < 2:
        positive, _, negative = text.partition("--neg")
        assert written(text) == (positive, negative)


@given(st.text("`t+1-neg ()*/,", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[Problem, ...] = ()
    try:
        read_prompt(text, ORIGIN).positive.at(TIMELINE, 5)
    except InputError as error:
        found = error.problems
    assert all(problem.column is not None for problem in found)
