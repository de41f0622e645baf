"""Errors in words, as documents and as exit codes."""

from __future__ import annotations

import pytest

from wan_engine import errors
from wan_engine.cli.errors import describe_error, show_error
from wan_engine.cli.screen import Screen
from wan_engine.errors import InputError, Problem, WanError


def test_all_problems_stand_on_lines_of_their_own() -> None:
    first = Problem("unknown name foo", "Use t, s or max_f", field="guidance_scale", key="30", column=7, file="a.json")
    second = Problem("99 is out of range", "Give 0 to 51", field="crf\x1b[31m\nfake: line")
    words = describe_error(InputError([first, second]))
    assert words.lines == (
        'a.json, guidance_scale, key "30", column 7: unknown name foo. Use t, s or max_f',
        r"crf\x1b[31m fake: line: 99 is out of range. Give 0 to 51",
    )
    assert words.document["error"] == "InputError"
    assert words.document["problems"][0]["field"] == "guidance_scale"
    assert words.exit_code == 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("CapabilityError", 3),
        ("ModelError", 3),
        ("MediaError", 4),
        ("StorageError", 4),
        ("RenderError", 5),
        ("OutOfMemoryError", 5),
        ("Cancelled", 130),
        ("WanError", 1),
    ],
)
def test_each_error_keeps_its_exit_code(kind: str, code: int) -> None:
    error: WanError = getattr(errors, kind)("it failed", "Do this")
    words = describe_error(error)
    assert (words.exit_code, words.lines, words.document["error"]) == (code, ("it failed. Do this",), kind)


def test_attempts_of_a_model_error_keep_their_lines() -> None:
    assert describe_error(errors.ModelError("no way worked:\n  one: a\n  two: b")).lines[1] == "  one: a"


def test_an_unexpected_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_error(Screen(), ZeroDivisionError("by\nzero")) == 1
    out, err = capsys.readouterr()
    assert out == ""
    expected = "Unexpected error: ZeroDivisionError: by zero. Run it again with --verbose for the traceback"
    assert " ".join(err.split()) == expected


def test_verbose_adds_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(Screen(verbose=True), ZeroDivisionError("by zero"))
    assert "ZeroDivisionError: by zero" in capsys.readouterr().err.splitlines()[-1]
