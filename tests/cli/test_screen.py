"""What is written reaches the terminal literally: no markup, no control characters; JSON stays JSON."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from wan_engine.cli.screen import Screen, one_line, shown, size_words, time_words, write_json


def written(text: str, style: str = "") -> str:
    console = Console(file=io.StringIO(), width=30, force_terminal=True, color_system=None)
    Screen().line(console, text, style)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize("text", ["[red]a[/red] fox", "[/]", "[link=x]", ":smile:", "\\[bold]", "a" * 200, "'7' None"])
def test_lines_are_literal_and_whole(text: str) -> None:
    assert written(text) == text + "\n"


@given(st.text())
def test_no_control_character_is_shown(text: str) -> None:
    answer = shown(text)
    assert all(char.isprintable() or char in "\n\t" for char in answer)
    assert one_line(text).isprintable()


def test_control_characters_are_made_visible() -> None:
    assert shown("a\x1b[31mb\x07\x9b") == r"a\x1b[31mb\x07\x9b"
    assert shown("\u202eabc") == r"\u202eabc"
    assert shown("grün 雨\n") == "grün 雨\n"


def test_one_line_is_cut() -> None:
    assert one_line("a  b\n c") == "a b c"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_time_words(seconds: float, words: str) -> None:
    assert time_words(seconds) == words


def test_size_words() -> None:
    assert size_words(1_500_000_000) == "1.5 GB"
    assert size_words(2_000_000) == "2.0 MB"
    assert size_words(0) == "0.0 MB"


def test_json_is_one_document_with_any_text(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"prompt": "[red] \x1b grün 雨", "number": 0.1}
    write_json(value)
    assert json.loads(capsys.readouterr().out) == value


def test_json_refuses_what_json_cannot_hold() -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(float("nan"))


def test_results_leave_stdout_alone_with_json() -> None:
    assert Screen(json=True).out.file is sys.stderr
    assert Screen().out.file is sys.stdout
    assert Screen().err.file is sys.stderr


@pytest.mark.parametrize(
    ("plain", "terminal", "rich"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_rich_needs_a_terminal_and_leave(plain: bool, terminal: bool, rich: bool) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, no_color=plain, _environ={"TERM": "xterm"})
    assert Screen(plain=plain).is_rich(console) is rich


def test_no_color_asks_for_plain_text() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm", "NO_COLOR": "1"})
    assert Screen().is_rich(console) is False
