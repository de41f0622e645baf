"""YAML: plain values and nothing else, whatever the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.yaml_documents import MAX_ALIASES, MAX_CHARACTERS, read_yaml


def refused(text: str, seconds: float = 1) -> Problem:
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read_yaml(text)
    assert time.perf_counter() - began < seconds
    problem = caught.value.problems[0]
    assert problem.remedy
    return problem


def test_values_are_what_the_user_wrote() -> None:
    text = """
    prompts:
      0: a cat
      010: "b: c"
      12.5s: no
      max_f/2: |
        long
        text
    fps: 24
    ratio: 30000/1001
    clip_duration: 2.5
    crf: +7
    small: 1e-3
    soundtrack_offset: 1:30
    make_gif: True
    day: 2024-01-01
    version: "1"
    nothing: ~
    """
    assert read_yaml(text).value == {
        "prompts": {"0": "a cat", "010": "b: c", "12.5s": "no", "max_f/2": "long\ntext\n"},
        "fps": 24,
        "ratio": "30000/1001",
        "clip_duration": 2.5,
        "crf": 7,
        "small": 0.001,
        "soundtrack_offset": "1:30",
        "make_gif": True,
        "day": "2024-01-01",
        "version": "1",
        "nothing": None,
    }
    assert read_yaml("# only a comment").value is None


def test_an_alias_repeats_a_value() -> None:
    assert read_yaml("a: &sea the sea\nb: *sea").value == {"a": "the sea", "b": "the sea"}


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    document = read_yaml("a: 1\nb: 2\na: 3")
    assert document.value == {"a": 3, "b": 2}
    assert '"a"' in document.notes[0]


@pytest.mark.parametrize(
    ("text", "line", "column", "word"),
    [
        ("a: 1\nb: c: d", 2, 5, "colon"),
        ("a:\n\t- b", 2, 1, "tab"),
        ("a: *x", 1, 4, "alias"),
        ('a: "x', 1, 6, "ends"),
        ("a: 1\n---\nb: 2", 2, 1, "second document"),
        ("a: @x", 1, 4, "cannot start"),
        ("a: 'it's'", 1, 8, "fit"),
        ("a: [1, 2", 1, 9, "comma"),
        ('"a":1', 1, 4, "entry"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", 2, 4, "!!python/object/apply:os.system"),
        ("a: !!binary aGk=", 1, 4, "!!binary"),
        ("a: !mine x", 1, 4, "!mine"),
        ("? [a]\n: b", 1, 3, "list"),
        ("a: b\x07", 1, 5, "0x0007"),
        ("%YAML 3.0\n---\na: 1", 1, 1, "version"),
        ("a: &a [*a]", 1, 4, "deep"),
    ],
)
def test_errors_say_what_and_where(text: str, line: int, column: int, word: str) -> None:
    problem = refused(text)
    assert (problem.line, problem.column) == (line, column)
    assert word in problem.message


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &b 1\nc: [" + ", ".join(["*b"] * (MAX_ALIASES + 1)) + "]",
        "[" * 50_000,
        "{a: " * 50_000,
        "- " * 50_000,
        "? " * 50_000,
        "\n".join(" " * depth + "a:" for depth in range(1000)),
        "&" * 50_000,
        "!" * 50_000,
        "a: " + "[" * 15 + "'" * 50_000,
        "x" * (MAX_CHARACTERS + 1),
    ],
    ids=range(11),
)
def test_hostile_text_is_refused_quickly(text: str) -> None:
    refused(text, seconds=5)


def test_half_a_character_is_refused() -> None:
    refused('a: "\\ud800"')


@given(st.text("ab:-[]{}&*!|>'\"# \n\t%@`0?,", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    found: tuple[Problem, ...] = ()
    try:
        read_yaml(text)
    except InputError as error:
        found = error.problems
    assert all(problem.message for problem in found)
