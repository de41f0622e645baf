"""What an error becomes on the command line: a JSON document, lines for people, an exit code."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from typing import Any

import typer

from wan_engine.cli.screen import Screen, one_line, shown
from wan_engine.errors import InputError, WanError

UNEXPECTED = 1
"""Exit code of an error that nobody foresaw."""


@dataclass(frozen=True)
class ErrorWords:
    """An error, described. document: for `--json`; its key `error` names the kind.  lines: one problem a line."""

    document: dict[str, Any]
    lines: tuple[str, ...]
    exit_code: int


def describe_error(error: Exception) -> ErrorWords:
    """An error in words, place first, with what to do about it."""
    if isinstance(error, InputError):
        return ErrorWords(error.as_dict(), tuple(one_line(str(each)) for each in error.problems), error.exit_code)
    if isinstance(error, WanError):
        return ErrorWords(error.as_dict(), tuple(shown(str(error)).splitlines()), error.exit_code)
    if isinstance(error, typer.TyperException):
        message, remedy = error.format_message().rstrip("."), f"See {_command_path(error)} --help"
        return _described("UsageError", message, remedy, error.exit_code)
    message = f"Unexpected error: {type(error).__name__}: {error}"
    return _described("UnexpectedError", message, "Run it again with --verbose for the traceback", UNEXPECTED)


def show_error(screen: Screen, error: Exception) -> int:
    """Say an error on stderr, with `--json` also as the document on stdout. Returns its exit code."""
    words = describe_error(error)
    if screen.json:
        screen.document(words.document)
    show_error_lines(screen, error)
    return words.exit_code


def show_error_lines(screen: Screen, error: Exception) -> None:
    """Write an error's lines to stderr; with `--verbose` also the traceback of one that nobody foresaw."""
    for text in describe_error(error).lines:
        screen.line(screen.err, text, style="red")
    if screen.verbose and not isinstance(error, WanError | typer.TyperException):
        traceback.print_exception(error, file=sys.stderr)


def _described(kind: str, message: str, remedy: str, code: int) -> ErrorWords:
    document = {"error": kind, "message": message, "remedy": remedy}
    return ErrorWords(document, (one_line(f"{message}. {remedy}"),), code)


def _command_path(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else "wan-engine"
