"""What the operators and functions of expressions compute: the results of numexpr, on plain Python numbers.

numexpr computes with whole numbers (64 bits), real numbers (doubles) and truth values, and decides which while it reads
the expression; so do we. Constants are folded by Python's own arithmetic there, and here (`constant`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["bool", "int", "float"]

Number = Any
"""A bool, int or float; which one is known from the Kind that goes with it."""

MAX_SHIFT = 63
"""Widest shift of a 64-bit whole number."""


@dataclass(frozen=True)
class Function:
    """One function of the language.

    result: kind of its value for variables: fixed, or `same` for the kind of its arguments.
    most: largest number of arguments.
    """

    compute: Callable[..., Number]
    least: int = 1
    most: int = 1
    result: Kind | Literal["same"] = "float"


def _overflowing(compute: Callable[[float], float], odd: bool = False) -> Callable[[float], float]:
    """The function with IEEE's infinity where Python raises, so that 1/(1+exp(1000)) is 0."""

    def computed(x: float) -> float:
        try:
            return compute(x)
        except OverflowError:
            return math.copysign(math.inf, x) if odd else math.inf

    return computed


def _rounded(x: Number) -> Number:
    return x if isinstance(x, int) or math.isinf(x) else float(round(x))


def _sign(x: Number) -> Number:
    return type(x)((x > 0) - (x < 0))


FUNCTIONS: dict[str, Function] = {
    "sin": Function(math.sin),
    "cos": Function(math.cos),
    "tan": Function(math.tan),
    "arcsin": Function(math.asin),
    "arccos": Function(math.acos),
    "arctan": Function(math.atan),
    "arctan2": Function(math.atan2, 2, 2),
    "sinh": Function(_overflowing(math.sinh, odd=True)),
    "cosh": Function(_overflowing(math.cosh)),
    "tanh": Function(math.tanh),
    "arcsinh": Function(math.asinh),
    "arccosh": Function(math.acosh),
    "arctanh": Function(math.atanh),
    "log": Function(math.log),
    "log2": Function(math.log2),
    "log10": Function(math.log10),
    "log1p": Function(math.log1p),
    "exp": Function(_overflowing(math.exp)),
    "expm1": Function(_overflowing(math.expm1)),
    "sqrt": Function(math.sqrt),
    "hypot": Function(math.hypot, 2, 2),
    "fmod": Function(math.fmod, 2, 2),
    "copysign": Function(math.copysign, 2, 2),
    "nextafter": Function(math.nextafter, 2, 2),
    "abs": Function(abs),
    "floor": Function(lambda x: float(math.floor(x))),
    "ceil": Function(lambda x: float(math.ceil(x))),
    "trunc": Function(lambda x: float(math.trunc(x))),
    "round": Function(_rounded, result="same"),
    "sign": Function(_sign, result="same"),
    "copy": Function(lambda x: x, result="same"),
    "ones_like": Function(lambda x: type(x)(1), result="same"),
    "minimum": Function(min, 2, 2),
    "maximum": Function(max, 2, 2),
    "min": Function(lambda *values: min(values), 1, 8, "same"),
    "max": Function(lambda *values: max(values), 1, 8, "same"),
    "isnan": Function(math.isnan, result="bool"),
    "isinf": Function(math.isinf, result="bool"),
    "isfinite": Function(math.isfinite, result="bool"),
    "signbit": Function(lambda x: math.copysign(1.0, x) < 0, result="bool"),
}
"""Every function but `where`, which evaluates only the branch it takes and is made by the parser."""

COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

PRECEDENCE: dict[str, int] = {
    "|": 1,
    "^": 2,
    "&": 3,
    "<<": 4,
    ">>": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "//": 6,
    "%": 6,
}
"""Binary operators but ** by how tightly they bind; comparisons bind less than all of them, as in Python."""

WHOLE_ONLY = frozenset({"&", "|", "^", "<<", ">>", "~"})
"""Operators that real numbers do not have."""


def _whole_power(base: int, exponent: int) -> int:
    """base ** exponent in whole numbers: a negative exponent truncates to 0 unless base is 1 or -1."""
    if exponent < 0:
        if base == 0:
            raise ZeroDivisionError
        return 0 if abs(base) > 1 else base ** (exponent & 1)
    if (abs(base).bit_length() - 1) * exponent > MAX_SHIFT:
        raise OverflowError
    return int(base**exponent)


def _real_power(base: Number, exponent: Number) -> float:
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.copysign(math.inf, base if exponent % 2 == 1 else 1.0)


def _constant_power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        return _whole_power(base, exponent)
    return _real_power(base, exponent)


def _shift(compute: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def shifted(value: int, places: int) -> int:
        if not 0 <= places <= MAX_SHIFT:
            raise OverflowError
        return compute(value, places)

    return shifted


def _floored(a: float, b: float) -> float:
    """numexpr's a // b for doubles: the floor of the rounded quotient, not Python's exact one."""
    return float(math.floor(a / b))


def _modulo(a: float, b: float) -> float:
    """numexpr's a % b for doubles: it has the sign of b."""
    return a - math.floor(a / b) * b


_PYTHON: dict[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _constant_power,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": _shift(operator.lshift),
    ">>": _shift(operator.rshift),
}

_TRUTH = {"+": operator.or_, "*": operator.and_, "&": operator.and_, "|": operator.or_, "^": operator.xor}
"""What the operators do with two truth values, where at least one depends on a variable."""


def common_kind(*kinds: Kind) -> Kind:
    """The kind that holds values of all of these."""
    ranks: tuple[Kind, ...] = ("bool", "int", "float")
    return max(kinds, key=ranks.index)


def kind_of(value: Number) -> Kind:
    """The kind of a value."""
    return "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"


def constant_operation(sign: str) -> Callable[[Number, Number], Number]:
    """The operation on two constants."""
    return _PYTHON[sign]


def operation(sign: str, left: Kind, right: Kind) -> tuple[Callable[[Number, Number], Number], Kind]:
    """The operation on two values of which at least one varies, and the kind of its result."""
    kind = common_kind(left, right)
    if kind == "bool" and sign in _TRUTH:
        return _TRUTH[sign], "bool"
    if sign == "/":
        return operator.truediv, "float"
    if sign == "**":
        return (_real_power, "float") if kind == "float" else (_whole_power, "int")
    if kind == "float" and sign == "//":
        return _floored, "float"
    if kind == "float" and sign == "%":
        return _modulo, "float"
    return _PYTHON[sign], "float" if kind == "float" else "int"
