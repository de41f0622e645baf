"""Reads YAML text into the plain values that JSON can hold, and writes such values: no tags, no types of its own.

Everything that is read has a bound.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml

from wan_engine.errors import InputError, Problem
from wan_engine.schedule.documents import (
    LESS_DEEP,
    MAX_DEPTH,
    TOO_DEEP,
    Document,
    check_text,
    problem_at,
    twice,
)

MAX_CHARACTERS = 2 * 1024 * 1024
"""The YAML reader takes about a second for a megabyte; JSON is for longer schedules."""

MAX_ALIASES = 100

MAX_VALUES = 200_000
"""Values a text may stand for, with every alias written out."""


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
            raise InputError(Problem(TOO_DEEP, LESS_DEEP, line=mark.line + 1, column=mark.column + 1))
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def read_yaml(text: str) -> Document:
    """The values of a YAML text: what JSON can hold, keys as they are written, no tags, few aliases.

    Raises InputError.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"the YAML text has {len(text):,} characters; the most is {MAX_CHARACTERS:,}"
        raise InputError(Problem(message, "Write a long schedule as JSON"))
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise InputError(_yaml_problem(error)) from error
    except yaml.reader.ReaderError as error:
        message = f"character {ord(text[error.position]):#06x} cannot stand in YAML"
        raise InputError(problem_at(text, error.position, message, "Remove it")) from error
    values = _Values()
    value = values.value(node, 0) if node is not None else None
    check_text(value)
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
            self._refuse(node, TOO_DEEP, LESS_DEEP)
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
            self.notes.append(twice(names))
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


class _Dumper(yaml.SafeDumper):
    """The safe writer, which puts every text in quotes that `read_yaml` would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written out."""
        return True


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_text = text.lower() not in _WORDS and not _WHOLE.fullmatch(text) and not _DECIMAL.fullmatch(text)
    plain = is_text and all(char.isprintable() or char == "\n" for char in text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _written)


def yaml_text(values: dict[str, Any]) -> str:
    """Plain values as YAML for people, in their order; `read_yaml` reads them back to equal ones."""
    text = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    assert isinstance(text, str)
    return text
