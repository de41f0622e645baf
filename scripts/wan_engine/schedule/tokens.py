"""Cuts the text of an expression into numbers, names and operators, and owns the error expressions raise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

MAX_LENGTH = 2000
"""Longest expression in characters; bounds the work that any text can cause."""

MAX_INTEGER = 2**63
"""Whole numbers end here, as they do in 64 bits."""


class ExpressionError(ValueError):
    """An expression that cannot be read or has no value.

    message says what is wrong, remedy what to do.  column: 1-based, in the text that was parsed.
    """

    def __init__(self, message: str, remedy: str = "", column: int = 1) -> None:
        self.message = message
        self.remedy = remedy
        self.column = column
        super().__init__(f"column {column}: {message}. {remedy}" if remedy else f"column {column}: {message}")


@dataclass(frozen=True, slots=True)
class Token:
    """kind: number, name, sign (an operator, bracket or comma) or end.  column: 1-based."""

    kind: str
    text: str
    column: int


_TOKEN = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<number>0[xXbBoO][0-9A-Fa-f_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|//|<<|>>|<=|>=|==|!=|[-+*/%<>&|^~(),])"
)

_CHARACTER_REMEDIES = {
    ".": "Attributes are not part of the language; write a number as 0.5",
    "[": "Indexing is not part of the language; use ( and )",
    "]": "Indexing is not part of the language; use ( and )",
    "{": "Use ( and )",
    "}": "Use ( and )",
    '"': "Text is not part of the language; remove the quotes",
    "'": "Text is not part of the language; remove the quotes",
    "`": "Remove the backtick",
    "=": "Compare with ==",
    "!": "Write != for not equal and ~ for not",
}


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression, with one of kind `end` behind them. Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is {len(text)} characters long", f"Use at most {MAX_LENGTH}")
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            _refuse_character(text[position], position + 1)
        kind = str(match.lastgroup)
        if kind != "blank":
            tokens.append(Token(kind, match.group(), position + 1))
        position = match.end()
    tokens.append(Token("end", "", len(text.rstrip()) + 1))
    return tokens


def _refuse_character(character: str, column: int) -> NoReturn:
    remedy = _CHARACTER_REMEDIES.get(character, "Use numbers, the variables, + - * / % ** and functions such as sin(t)")
    raise ExpressionError(f"{character!r} cannot be used in an expression", remedy, column)


def number_of(token: Token) -> int | float:
    """The value of a number token. Raises ExpressionError for 010, 1__0 and numbers that are too large."""
    text = token.text
    whole = text[:2].lower() in ("0x", "0b", "0o") or not re.search(r"[.eE]", text)
    try:
        value: int | float = int(text, 0) if whole else float(text)
    except ValueError as error:
        remedy = "Write it without leading zeros, as 10 or 0.5"
        raise ExpressionError(f'"{text[:40]}" is not a number', remedy, token.column) from error
    if value == float("inf") or (whole and value > MAX_INTEGER):
        raise ExpressionError(f'"{text[:40]}" is too large', "Use a smaller number", token.column)
    return value
