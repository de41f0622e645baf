"""Plain values from text: objects, lists, text, numbers, true, false, nothing. JSON is read here, YAML beside.

Nothing is ever constructed or executed from a document. Every error has line, column and remedy. What a document
means is not known here; `project` knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from wan_engine.errors import InputError, Problem

MAX_DEPTH = 16
"""How deep objects and lists may stand in one another; a film needs two."""


@dataclass(frozen=True)
class Document:
    """What a text holds.

    value: plain values; every object's keys are text.  notes: what the user should know, such as keys that stand twice.
    """

    value: Any
    notes: tuple[str, ...] = ()


def read_json(text: str) -> Document:
    """The values of a JSON text. Of a key that stands twice in one object the last value counts, with a note.

    Raises InputError.
    """
    notes: list[str] = []

    def one_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            notes.append(twice(name for name, _ in pairs))
        return values

    try:
        value = json.loads(text, object_pairs_hook=one_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        message, remedy = _json_words(error)
        raise InputError(Problem(message, remedy, line=error.lineno, column=error.colno)) from error
    except RecursionError as error:
        raise InputError(_depth_problem(text)) from error
    except ValueError as error:  # NaN, Infinity, or a whole number too long for Python
        raise InputError(_number_problem(text)) from error
    if _deeper_than(value, MAX_DEPTH):
        raise InputError(_depth_problem(text))
    check_text(value)
    return Document(value, tuple(notes))


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names for a note: `"0", "30" and 7 more`."""
    shown = ", ".join(f'"{name[:40]}"' for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def twice(names: Iterable[str]) -> str:
    """The note on names that stand more than once in one object."""
    seen: set[str] = set()
    again: dict[str, None] = {}
    for name in names:
        if name in seen:
            again[name] = None
        seen.add(name)
    return f"given twice in one object, the last value is used: {listed(list(again))}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def problem_at(text: str, position: int, message: str, remedy: str) -> Problem:
    """A problem at a position of a text, counted from 0."""
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return Problem(message, remedy, line=line, column=column)


_JSON_PARTS = re.compile(r'"(?:\\.|[^"\\])*"|[\[{]|[\]}]|NaN|-?Infinity|-?[0-9]{1000,}')


def _number_problem(text: str) -> Problem:
    for part in _JSON_PARTS.finditer(text):
        if part[0][0] not in '"[]{}':
            message = f"{part[0][:20]} is not a number that can be used"
            return problem_at(text, part.start(), message, "Give an ordinary number")
    return Problem("a number cannot be used", "Give an ordinary number")


TOO_DEEP = "the brackets are nested too deeply"
LESS_DEEP = f"Objects and lists may stand in one another at most {MAX_DEPTH} deep"


def _depth_problem(text: str) -> Problem:
    depth = 0
    for part in _JSON_PARTS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part[0], 0)
        if depth > MAX_DEPTH:
            return problem_at(text, part.start(), TOO_DEEP, LESS_DEEP)
    return Problem(TOO_DEEP, LESS_DEEP)


def _deeper_than(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_deeper_than(item, depth - 1) for item in items)


_HALF = re.compile("[\ud800-\udfff]")


HALF_A_CHARACTER = "a text holds half a character (a lone surrogate)"
WHOLE_CHARACTERS = "Remove it, or write the character itself"


def half_character(text: str) -> int | None:
    """Where half a character stands in a text, counted from 0."""
    found = None if text.isascii() else _HALF.search(text)
    return found.start() if found else None


def check_text(value: Any) -> None:
    """Refuse half a character: it could not be written to a file later."""
    if isinstance(value, str):
        position = half_character(value)
        if position is not None:
            raise InputError(Problem(HALF_A_CHARACTER, WHOLE_CHARACTERS, column=position + 1))
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key)
            check_text(item)
    elif isinstance(value, list):
        for item in value:
            check_text(item)


_JSON_WORDS = {
    "Expecting property name enclosed in double quotes": (
        "a name in double quotes is expected here",
        "Names stand in double quotes; there are no single quotes, no comments and no comma after the last entry",
    ),
    "Expecting ',' delimiter": (
        "a comma or the closing bracket is missing before this place",
        "Put a comma between two entries, and a backslash before a double quote inside a text",
    ),
    "Expecting ':' delimiter": ("a colon is missing before this place", 'Write each entry as "name": value'),
    "Expecting value": (
        "a value is expected here",
        "Text stands in double quotes; the words are true, false and null; there is no comma after the last entry",
    ),
    "Illegal trailing comma before end of object": ("a comma stands after the last entry", "Remove the comma"),
    "Illegal trailing comma before end of array": ("a comma stands after the last entry", "Remove the comma"),
    "Unterminated string starting at": ("the text that starts here is not closed", 'Close it with "'),
    "Invalid control character at": (
        "a line break or tab stands inside a text",
        r'Close the text with " on the same line, or write \n for a line break',
    ),
    "Invalid \\escape": (
        "a backslash stands before a letter that it cannot change",
        r"Write \\ for a backslash, or / in a path",
    ),
    "Invalid \\uXXXX escape": (r"\u is not followed by four digits", r"Write \\ for a backslash, or / in a path"),
    "Extra data": ("there is text after the end", "One file holds one object in { }; remove what follows it"),
}


def _json_words(error: json.JSONDecodeError) -> tuple[str, str]:
    known = _JSON_WORDS.get(error.msg.removesuffix(": ").rstrip(":"))
    return known or (f"this is not JSON: {error.msg}", "Correct the text at this place")
