"""Reads JSON and YAML text into plain values: objects, lists, text, numbers, true, false, nothing.

Nothing is ever constructed or executed from a document. Every error has line, column and remedy. What a document
means is not known here; `project` knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from wan_engine.errors import InputError, Problem

MAX_YAML_CHARACTERS = 2 * 1024 * 1024
"""The YAML reader takes about a second for a megabyte; JSON has no such limit of its own."""

MAX_DEPTH = 16
MAX_ALIASES = 100
MAX_VALUES = 200_000


@dataclass(frozen=True)
class Document:
    """What a text holds.

    value: plain values; every object's keys are text.  notes: what the user should know, such as keys that stand twice.
    """

    value: Any
    notes: tuple[str, ...] = ()


def read_json(text: str) -> Document:
    """The values of a JSON text. Of a key that stands twice in one object the last value counts, with a note.

    Raises InputError."""
    notes: list[str] = []

    def one_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            notes.extend(_twice(name for name, _ in pairs))
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
    _check_text(value)
    return Document(value, tuple(notes))


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    again: dict[str, None] = {}
    for name in names:
        if name in seen:
            again[name] = None
        seen.add(name)
    return [f'"{name}" stands twice in one object; the last value is used' for name in again]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _problem_at(text: str, position: int, message: str, remedy: str) -> Problem:
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return Problem(message, remedy, line=line, column=column)


_JSON_PARTS = re.compile(r'"(?:\\.|[^"\\])*"|[\[{]|[\]}]|NaN|-?Infinity|-?[0-9]{1000,}')


def _number_problem(text: str) -> Problem:
    for part in _JSON_PARTS.finditer(text):
        if part[0][0] not in '"[]{}':
            message = f"{part[0][:20]} is not a number that can be used"
            return _problem_at(text, part.start(), message, "Give an ordinary number")
    return Problem("a number cannot be used", "Give an ordinary number")


_TOO_DEEP = "the brackets are nested too deeply"
_LESS_DEEP = f"Objects and lists may stand in one another at most {MAX_DEPTH} deep"


def _depth_problem(text: str) -> Problem:
    depth = 0
    for part in _JSON_PARTS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part[0], 0)
        if depth > MAX_DEPTH:
            return _problem_at(text, part.start(), _TOO_DEEP, _LESS_DEEP)
    return Problem(_TOO_DEEP, _LESS_DEEP)


def _deeper_than(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_deeper_than(item, depth - 1) for item in items)


_HALF = re.compile("[\ud800-\udfff]")


def _check_text(value: Any) -> None:
    """Refuse half a character: it could not be written to a file later."""
    if isinstance(value, str):
        found = None if value.isascii() else _HALF.search(value)
        if found:
            message = f"a text holds half a character ({found[0]!r}, a lone surrogate)"
            raise InputError(Problem(message, "Remove the escape", column=found.start() + 1))
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


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


class _Loader(yaml.SafeLoader):
    """The safe loader without types of its own: every scalar stays text, so a key such as `010` or `no` stays what
    the user wrote. Depth and aliases are bounded while it reads."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (PyYAML's own name)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read the next node. Raises InputError when it is too deep or one alias too many."""
        mark: yaml.Mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._aliases += self.check_event(yaml.AliasEvent)
        if self._aliases > MAX_ALIASES:
            message, remedy = f"there are more than {MAX_ALIASES} aliases (*name)", "Write the values out"
            raise InputError(Problem(message, remedy, line=mark.line + 1, column=mark.column + 1))
        if self._depth > MAX_DEPTH:
            raise InputError(Problem(_TOO_DEEP, _LESS_DEEP, line=mark.line + 1, column=mark.column + 1))
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def read_yaml(text: str) -> Document:
    """The values of a YAML text: what JSON can hold, keys as they are written, no tags, few aliases.

    Raises InputError.
    """
    if len(text) > MAX_YAML_CHARACTERS:
        message = f"the YAML text has {len(text):,} characters; the most is {MAX_YAML_CHARACTERS:,}"
        raise InputError(Problem(message, "Write a long schedule as JSON"))
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise InputError(_yaml_problem(error)) from error
    except yaml.reader.ReaderError as error:
        message = f"character {ord(text[error.position]):#06x} cannot stand in YAML"
        raise InputError(_problem_at(text, error.position, message, "Remove it")) from error
    values = _Values()
    value = values.value(node, 0) if node is not None else None
    _check_text(value)
    return Document(value, tuple(values.notes))


_YAML_WORDS = (
    (
        "mapping values are not allowed",
        "a colon stands where none can be",
        "Put the whole value in quotes, or check the indentation",
    ),
    (r"character '\t'", "a tab stands where blanks are needed", "Indent with blanks"),
    ("undefined alias", "an alias (*name) without its anchor (&name)", "Put a text that starts with * in quotes"),
    ("unexpected end of stream", "the text ends before a quote or bracket is closed", "Close it"),
    (
        "could not find expected ':'",
        "a line without a colon",
        'Write each entry as "name: value", long texts in quotes',
    ),
    ("expected a single document", "a second document starts here (---)", "One file holds one document"),
    ("cannot start any token", "a character that cannot start a value", "Put the value in quotes"),
    (
        "expected <block end>",
        "this does not fit to the lines above",
        "Check the indentation, and that a quote inside a quoted text is doubled",
    ),
    ("expected ',' or", "a comma or the closing bracket is missing before this place", "Add it"),
    ("<document start>", "this is not an entry", 'Write each entry as "name: value", with a blank after the colon'),
)


def _yaml_problem(error: yaml.MarkedYAMLError) -> Problem:
    told = f"{error.problem or ''} {error.context or ''}"
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    for part, message, remedy in _YAML_WORDS:
        if part in told:
            return Problem(message, remedy, line=line, column=column)
    return Problem(f"this is not YAML: {told.strip()}", "Correct the text at this place", line=line, column=column)


_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")


class _Values:
    """Turns YAML nodes into plain values, with a bound on their number: an alias may stand for a great many."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._left = MAX_VALUES

    def value(self, node: yaml.Node, depth: int) -> Any:
        """The plain value of a node, `depth` levels down."""
        self._left -= 1
        if self._left < 0:
            self._refuse(
                node, f"the text stands for more than {MAX_VALUES:,} values", "Write it without aliases (*name)"
            )
        if depth > MAX_DEPTH:
            self._refuse(node, _TOO_DEEP, _LESS_DEEP)
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag[18:] not in ("str", "seq", "map"):
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(node, f"the tag {tag} is not read", "Write the value without a tag, text in quotes")
        if isinstance(node, yaml.MappingNode):
            return self._object(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        assert isinstance(node, yaml.ScalarNode)
        return _scalar(node)

    def _object(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        names: list[str] = []
        values: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, "a name is a list or an object", "Put a name that starts with [ or { in quotes")
            names.append(key.value)
            values[key.value] = self.value(item, depth + 1)
        if len(values) < len(names):
            self.notes.extend(_twice(names))
        return values

    def _refuse(self, node: yaml.Node, message: str, remedy: str) -> NoReturn:
        mark = node.start_mark
        raise InputError(Problem(message, remedy, line=mark.line + 1, column=mark.column + 1))


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    assert isinstance(text, str)
    if node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
