"""JSON: values as they are, and every error with line, column and remedy."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.documents import MAX_DEPTH, listed, read_json


def refused(text: str) -> Problem:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read_json(text)
    assert time.perf_counter() - began < 1
    problem = caught.value.problems[0]
    assert problem.remedy
    return problem


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ('{"a": 1,}', 1, 9, "name"),
        ('{\n "a" 1}', 2, 6, "colon"),
        ('{"a": 1 "b": 2}', 1, 9, "comma"),
        ('{"a": "x "y""}', 1, 11, "comma"),
        ("{'a': 1}", 1, 2, "name"),
        ("{a: 1}", 1, 2, "name"),
        ('{"a": "x\ny"}', 1, 9, "line break"),
        ('{"a": "C:\\pics"}', 1, 10, "backslash"),
        ('{"a": "\\u12"}', 1, 9, "digits"),
        ('{"a": "x', 1, 7, "not closed"),
        ("{}\n{}", 2, 1, "after the end"),
        ('{"a": None}', 1, 7, "value"),
        ('{"a": 1} // why', 1, 10, "after the end"),
        ('{\n"a": NaN}', 2, 6, "NaN"),
        ('{"NaN": 1, "a": -Infinity}', 1, 17, "-Infinity"),
        ('{"a": 1' + "0" * 5000 + "}", 1, 7, "number"),
        ("[" * 100_000, 1, MAX_DEPTH + 1, "deep"),
        ('{"a":' * 100_000, 1, 5 * MAX_DEPTH + 1, "deep"),
        ("[" * 20 + "]" * 20, 1, MAX_DEPTH + 1, "deep"),
        ("", 1, 1, "value"),
    ],
)
def test_errors_say_what_and_where(text: str, line: int, column: int, word: str) -> None:
    problem = refused(text)
    assert (problem.line, problem.column) == (line, column)
    assert word in problem.message


def test_half_a_character_is_refused() -> None:
    assert "half a character" in refused('{"a": ["x\\ud83d"]}').message
    assert "half a character" in refused('{"\\ud83d": 1}').message


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    document = read_json('{"a": 1, "b": {"0": "x", "0": "y"}, "a": 2}')
    assert document.value == {"a": 2, "b": {"0": "y"}}
    assert len(document.notes) == 2
    assert '"0"' in document.notes[0]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(_VALUES)
def test_what_json_writes_is_read(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert read_json(text).value == value


@given(st.text('{}[]",:0ae\\n ', max_size=30))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    found: tuple[Problem, ...] = ()
    try:
        read_json(text)
    except InputError as error:
        found = error.problems
    assert all(problem.line is not None for problem in found)


def test_long_lists_of_names_are_cut() -> None:
    assert listed(["a", "b"]) == '"a", "b"'
    assert listed([str(n) for n in range(8)]) == '"0", "1", "2", "3", "4" and 3 more'
