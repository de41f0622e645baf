"""Prompts one a line."""

from __future__ import annotations

import pytest

from wan_engine.errors import InputError
from wan_engine.schedule.lines import read_lines


def test_key_and_text_of_each_line() -> None:
    text = "0: a cat\n\n# a comment\n  12.5s :  a dog: brown #1  \r\nmax_f/2:a bird --neg x\n50:\n"
    assert read_lines(text).value == {
        "0": "a cat",
        "12.5s": "a dog: brown #1",
        "max_f/2": "a bird --neg x",
        "50": "",
    }


def test_of_a_key_that_stands_twice_the_last_text_counts() -> None:
    document = read_lines("0: a\n0: b")
    assert document.value == {"0": "b"}
    assert document.notes == ('prompts: given twice, the last text is used: "0"',)


def test_every_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(InputError) as caught:
        read_lines('0: a\na cat\n: b\n"3": "json",')
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]
    assert all(problem.remedy and problem.field == "prompts" for problem in caught.value.problems)


def test_a_book_is_refused_briefly() -> None:
    with pytest.raises(InputError) as caught:
        read_lines("no key\n" * 100_000)
    assert len(caught.value.problems) < 60


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read_lines("0: a\n5: b\ud83d")
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 5)
