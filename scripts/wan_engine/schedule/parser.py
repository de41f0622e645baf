"""Reads the text of an expression into nested functions, by precedence, in numexpr's language.

No Python code is made or run. Text length, nesting and the size of whole numbers are bounded, so no text can cost more
than a few milliseconds.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from wan_engine.schedule.operations import (
    COMPARISONS,
    FUNCTIONS,
    PRECEDENCE,
    WHOLE_ONLY,
    Function,
    Kind,
    Number,
    common_kind,
    constant_operation,
    kind_of,
    operation,
)
from wan_engine.schedule.tokens import ExpressionError, Token, number_of, tokenize
from wan_engine.words import counted

VARIABLES = {"t": "the frame", "s": "the start seed", "max_f": "the number of the last frame"}
"""Every variable there is; which of them an expression may use depends on where it stands."""

MAX_DEPTH = 50
"""Deepest nesting of brackets, signs and powers."""

MAX_HEIGHT = 200
"""Most operations that wait for each other, as in t+t+t+...; keeps the evaluation within Python's stack."""

_WORD_REMEDIES = {
    "and": "Write & and put each comparison in brackets",
    "or": "Write | and put each comparison in brackets",
    "not": "Write ~ and put the comparison in brackets",
    "if": "Write where(condition, value, other)",
    "else": "Write where(condition, value, other)",
    "in": "Write two comparisons joined with &",
    "is": "Compare with ==",
    "lambda": "Functions cannot be defined here",
    "pi": "Write 3.141592653589793",
    "int": "Write trunc",
}

_SIGN_REMEDIES = {
    "(": "To multiply, write * in front of the bracket",
    ")": "Remove it or open a bracket before it",
    ",": "Commas stand only between the arguments of a function",
}

Run = Callable[[Mapping[str, int]], Number]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    run: its value for given variables.  kind: what its value can be used for; a `float` may hold a whole number.
    column: 1-based.  value: its value if it is constant, else None.  height: operations that wait for each other.
    """

    run: Run
    kind: Kind
    column: int
    value: Number = None
    children: tuple[Node, ...] = ()
    height: int = 1

    @property
    def constant(self) -> bool:
        """Whether it has the same value everywhere."""
        return self.value is not None


def arithmetic_error(error: Exception, column: int) -> ExpressionError:
    """What Python's arithmetic raised, in the user's words."""
    if isinstance(error, ZeroDivisionError):
        return ExpressionError("it divides by zero", "Guard it, for example where(t > 0, 1/t, 0)", column)
    if isinstance(error, OverflowError):
        return ExpressionError("the numbers become too large", "Keep powers, shifts and products smaller", column)
    remedy = "Keep it where the function is defined, for example sqrt(abs(t))"
    return ExpressionError("this has no real value", remedy, column)


def parse(text: str, names: Collection[str]) -> Node:
    """The expression in `text`, which may use the variables `names`. Raises ExpressionError."""
    return _Parser(text, names).parse()


def _constant(value: Number, column: int) -> Node:
    return Node(lambda variables: value, kind_of(value), column, value)


def _made(run: Run, kind: Kind, children: list[Node], column: int) -> Node:
    """The node over `children`; a constant at once when they all are."""
    height = 1 + max(child.height for child in children)
    if height > MAX_HEIGHT:
        raise ExpressionError("the expression is too long", f"Use at most {MAX_HEIGHT} operations", column)
    if not all(child.constant for child in children):
        return Node(run, kind, column, None, tuple(children), height)
    try:
        return _constant(run({}), column)
    except (ArithmeticError, ValueError) as error:
        raise arithmetic_error(error, column) from error


def _refuse_real(sign: Token, *operands: Node) -> None:
    if any(operand.kind == "float" for operand in operands):
        message = f'"{sign.text}" works on whole numbers and comparisons only'
        raise ExpressionError(message, "Compare first, or use where(condition, value, other)", sign.column)


def _signed(sign: Token, operand: Node) -> Node:
    run, kind = operand.run, operand.kind
    if sign.text == "+":
        return operand
    if sign.text == "-":
        return _made(lambda v: -run(v), "int" if kind == "bool" else kind, [operand], sign.column)
    _refuse_real(sign, operand)
    if kind == "bool":
        return _made(lambda v: not run(v), "bool", [operand], sign.column)
    return _made(lambda v: ~run(v), "int", [operand], sign.column)


def _operated(sign: Token, left: Node, right: Node) -> Node:
    if sign.text in WHOLE_ONLY:
        _refuse_real(sign, left, right)
    if left.constant and right.constant:
        compute, kind = constant_operation(sign.text), common_kind(left.kind, right.kind)
    elif sign.text == "**" and right.constant and right.value < 0:
        compute, kind = operation(sign.text, "float", "float")
    else:
        compute, kind = operation(sign.text, left.kind, right.kind)
    run_left, run_right = left.run, right.run
    return _made(lambda v: compute(run_left(v), run_right(v)), kind, [left, right], sign.column)


def _compared(signs: list[Token], parts: list[Node]) -> Node:
    """One comparison, or a chain such as 0 < t < 5, which means (0 < t) & (t < 5)."""
    tests, runs = [COMPARISONS[sign.text] for sign in signs], [part.run for part in parts]
    if len(tests) == 1:
        (test,), (left, right) = tests, runs
        return _made(lambda v: test(left(v), right(v)), "bool", parts, signs[0].column)

    def chained(variables: Mapping[str, int]) -> bool:
        values = [run(variables) for run in runs]
        return all(test(values[i], values[i + 1]) for i, test in enumerate(tests))

    return _made(chained, "bool", parts, signs[0].column)


def _applied(token: Token, function: Function, arguments: list[Node]) -> Node:
    compute, runs = function.compute, [argument.run for argument in arguments]
    kind = common_kind(*(a.kind for a in arguments)) if function.result == "same" else function.result
    if len(runs) == 1:
        only = runs[0]
        return _made(lambda v: compute(only(v)), kind, arguments, token.column)
    return _made(lambda v: compute(*[run(v) for run in runs]), kind, arguments, token.column)


def _where(token: Token, condition: Node, yes: Node, no: Node) -> Node:
    """where(condition, yes, no) computes only the branch it takes, so that it can guard a division."""
    test, first, second = condition.run, yes.run, no.run
    if condition.constant:
        return yes if condition.value else no
    kind = common_kind(yes.kind, no.kind)
    return _made(lambda v: first(v) if test(v) else second(v), kind, [condition, yes, no], token.column)


class _Parser:
    """Reads one text. Each method reads one rule of the grammar and leaves `_index` behind it."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._tokens = tokenize(text)
        self._names = names
        self._index = 0
        self._depth = 0

    def parse(self) -> Node:
        """The whole text as one expression."""
        if self._token.kind == "end":
            raise ExpressionError("there is nothing to compute", "Write a number or an expression such as sin(t/10)")
        root = self._comparison()
        if self._token.kind != "end":
            raise self._unexpected()
        return root

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _accept(self, signs: Collection[str]) -> Token | None:
        token = self._token
        if token.kind != "sign" or token.text not in signs:
            return None
        self._index += 1
        return token

    def _found(self) -> str:
        return "but the text ends" if self._token.kind == "end" else f'but found "{self._token.text[:40]}"'

    def _unexpected(self) -> ExpressionError:
        token = self._token
        if token.text in _WORD_REMEDIES:
            return ExpressionError(f'"{token.text}" cannot be used here', _WORD_REMEDIES[token.text], token.column)
        remedy = _SIGN_REMEDIES.get(token.text, "Put an operator such as + or * in front of it")
        return ExpressionError(f"expected an operator {self._found()}", remedy, token.column)

    def _close(self, opened: Token) -> None:
        if self._accept((")",)) is None:
            if self._token.kind != "end":
                raise self._unexpected()
            remedy = f'Close what opens in column {opened.column} with ")"'
            raise ExpressionError('a ")" is missing', remedy, self._token.column)

    def _comparison(self) -> Node:
        signs, parts = [], [self._binary(1)]
        while (sign := self._accept(COMPARISONS)) is not None:
            signs.append(sign)
            parts.append(self._binary(1))
        return _compared(signs, parts) if signs else parts[0]

    def _binary(self, loosest: int) -> Node:
        """Operands joined by operators that bind at least as tightly as `loosest`, from left to right."""
        left = self._unary()
        while self._token.kind == "sign" and PRECEDENCE.get(self._token.text, 0) >= loosest:
            sign = self._token
            self._index += 1
            left = _operated(sign, left, self._binary(PRECEDENCE[sign.text] + 1))
        return left

    def _unary(self) -> Node:
        """A signed operand. Every nesting of the grammar passes here, so the depth is counted here."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            remedy = f"Use at most {MAX_DEPTH} levels"
            raise ExpressionError("the expression is nested too deeply", remedy, self._token.column)
        sign = self._accept("+-~")
        node = self._power() if sign is None else _signed(sign, self._unary())
        self._depth -= 1
        return node

    def _power(self) -> Node:
        """An operand and its exponent: ** binds tighter than a sign before it and looser than one behind it."""
        base = self._operand()
        sign = self._accept(("**",))
        return base if sign is None else _operated(sign, base, self._unary())

    def _operand(self) -> Node:
        token = self._token
        if token.kind == "number":
            self._index += 1
            self._refuse_suffix(token)
            return _constant(number_of(token), token.column)
        if token.kind == "name":
            self._index += 1
            return self._call(token) if self._accept("(") else self._named(token)
        if self._accept("("):
            node = self._comparison()
            self._close(token)
            return node
        remedy = "Write a number, a variable or a function"
        raise ExpressionError(f"expected a value {self._found()}", remedy, token.column)

    def _refuse_suffix(self, token: Token) -> None:
        """2t is neither 2 nor t."""
        follower = self._token
        if follower.kind in ("name", "number") and follower.column == token.column + len(token.text):
            message = f'"{(token.text + follower.text)[:40]}" is not a number'
            raise ExpressionError(message, f"To multiply, write {token.text[:20]}*{follower.text[:20]}", token.column)

    def _named(self, token: Token) -> Node:
        name = token.text
        if name in ("True", "False"):
            return _constant(name == "True", token.column)
        if name in self._names:
            return Node(lambda variables: variables[name], "int", token.column)
        if name in FUNCTIONS or name == "where":
            raise ExpressionError(f'"{name}" is a function', f"Write {name}(...)", token.column)
        if name in VARIABLES:
            known = "Known here: " + (", ".join(self._names) or "no variables")
            raise ExpressionError(f'"{name}" ({VARIABLES[name]}) is not available here', known, token.column)
        raise self._unknown(token, [*self._names, "where", *FUNCTIONS])

    def _unknown(self, token: Token, known: list[str]) -> ExpressionError:
        message = f'"{token.text[:40]}" is not known'
        if token.text in _WORD_REMEDIES:
            return ExpressionError(message, _WORD_REMEDIES[token.text], token.column)
        close = difflib.get_close_matches(token.text[:40].lower(), known, n=1, cutoff=0.6)
        some = ", ".join([*self._names, "where", "sin", "cos", "abs", "floor", "minimum"])
        remedy = f'Did you mean "{close[0]}"?' if close else f"Known are numbers, {some} and others"
        return ExpressionError(message, remedy, token.column)

    def _call(self, token: Token) -> Node:
        function = FUNCTIONS.get(token.text)
        if function is None and token.text != "where":
            raise self._unknown(token, ["where", *FUNCTIONS])
        arguments = [] if self._accept(")") else self._arguments(token)
        least, most = (3, 3) if function is None else (function.least, function.most)
        if not least <= len(arguments) <= most:
            wanted = counted(least, "value") if least == most else f"{least} to {most} values"
            message = f"{token.text} takes {wanted}, not {len(arguments)}"
            raise ExpressionError(message, "Separate values with commas", token.column)
        return _where(token, *arguments) if function is None else _applied(token, function, arguments)

    def _arguments(self, token: Token) -> list[Node]:
        arguments = [self._comparison()]
        while self._accept(","):
            arguments.append(self._comparison())
        self._close(token)
        return arguments
