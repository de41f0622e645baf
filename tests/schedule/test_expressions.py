"""Expressions: numexpr is the oracle, and no text may cost time or run anything."""

from __future__ import annotations

import math
import time
import warnings

import numexpr
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wan_engine.schedule.expressions import Expression, ExpressionError
from wan_engine.schedule.parser import MAX_DEPTH, Node
from wan_engine.schedule.tokens import MAX_INTEGER, MAX_LENGTH

NAMES = ("t", "s", "max_f")
FRAME = {"t": 7, "s": 12345, "max_f": 99}


def ours(text: str, frame: dict[str, int]) -> int | float:
    return Expression.parse(text, NAMES).value(**frame)


def numexpr_value(text: str, frame: dict[str, int]) -> float:
    """numexpr's result; nan where it refuses the text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(numexpr.evaluate(text, local_dict=frame, global_dict={}))
        except (ArithmeticError, KeyError, NotImplementedError, TypeError, ValueError):
            return math.nan


PRECEDENCE = """
    -2**2 | -t**2 | (-t)**2 | 2**3**2 | 2**-1 | 2**-1**2 | -t%7**2 | 7/2 | t/2 | 1+t<<1 | t<<1+1 | t&3<<1 | t^1==3
    t&t==7 | ~t**2 | - ~t | ~-t | t*-1 | t**+2 | t*~1 | +t | t - - 3 | t<-1 | 10**t**0 | -t//3 | t//-3 | 100-t-1-2
    100/t/2 | 2*t%4 | t%4*2 | t>>1<<1
"""
SIGNS = """
    -7%3 | 7%-3 | -7.5%3 | 7.5%-3 | -t%3 | t%-3 | (t*1.0)%-3 | (-t*1.0)%3 | (t-9)%4 | (t-20.0)%.1 | (t+4.0)//.1
    (t-1.0)//0.1 | -7//2 | (t-9)//2 | (t-9)*1.0//2 | t//1.5 | fmod(-7,3) | fmod(t-9,3) | fmod(-t*1.0,3)
"""
NUMBERS = "1e-3 | .5 | 5. | 1.e5 | .5e-2+t | 1E5 | 0x1F+t | 0b101 | 1_000 | 2147483648 | 9223372036854775807 | 00"
TRUTH = """
    1<2 | 5&3 | 5|8 | 5^3 | ~5 | 1==1.0 | 1!=2 | t<3.0 | (t<9)&(t<8) | (t<9)|(t>8) | (t<9)^(t<8) | ~(t<9) | ~(t>9)
    (t<9)+(t<8) | (1<2)+(1<3) | (1<2)+(t<9) | (t<9)*(t>8) | (t<9)+1 | (t<9)*t | (t<9)/2 | (t<9)&1 | 1+(t<9)*2.5
    (t<9)==(t<8) | (t<9)<(t<8) | (t<9)**2 | t**(t<9) | (t<9)%2 | t<<(t<9) | 1<2<3 | 3>2>1 | True+t | where(True,t,1)
"""
FUNCTIONS = """
    where(t>2,1,0) | where(t>9,t,2.5) | where(t>9,1/(t-7),4) | where(1,2,3) | sin(t/10) | cos(t) | tan(t) | arcsin(t/10)
    arccos(t/10) | arctan(t) | arctan2(t,3) | sinh(t) | cosh(t) | tanh(t) | arcsinh(t) | arccosh(t) | arctanh(t/10)
    log(t) | log2(t) | log10(t) | log1p(t) | exp(t) | expm1(t) | sqrt(t) | hypot(t,3) | copysign(t,-1) | nextafter(t,9)
    abs(t-9) | abs(-3) | floor(t/2) | ceil(t/2) | trunc(-t/2) | round(2.5) | round(t/2) | round(t) | sign(t-9)
    sign(-2) | sign(t*1.0) | minimum(t,3) | maximum(t/2,3) | max(t) | min(t) | copy(t) | ones_like(t) | isnan(t)
    isinf(exp(900*t)) | isfinite(t) | signbit(t-9) | 1/(1+exp(900*t)) | tanh(sinh(-900*t))
    0.25 * cos((72 / 60 * 3.141 * (t + 0) / 30))**13
    1.0025+0.002*sin(1.25*3.14*t/30) | 2**0.5 | t**2.5 | t**0.5 | 2.0**-t | 2**-t | (t-8)**-t | (t-6)**-t
"""


CASES = [
    text.strip()
    for rows in (PRECEDENCE, SIGNS, NUMBERS, TRUTH, FUNCTIONS)
    for line in rows.strip().splitlines()
    for text in line.split(" | ")
]


@pytest.mark.parametrize("text", CASES)
def test_gives_what_numexpr_gives(text: str) -> None:
    expected = numexpr_value(text, FRAME)
    assert math.isfinite(expected), "not a case for this test"
    assert ours(text, FRAME) == pytest.approx(expected, rel=1e-12, abs=1e-12)


NUMBER_LEAVES = st.one_of(
    st.sampled_from(NAMES), st.integers(0, 40).map(str), st.sampled_from(["0.5", ".25", "1.75", "3.", "2e1"])
)
WHOLE_LEAVES = st.one_of(st.sampled_from(NAMES), st.integers(0, 40).map(str))


def joined(signs: str, *operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Operands joined without brackets, so that precedence and association are tested too."""
    return st.tuples(operands[0], st.sampled_from(signs.split()), operands[1]).map(" ".join)


def wholes(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        joined("+ - * // % & | ^ << >>", inner, inner),
        joined("**", inner, st.integers(0, 3).map(str)),
        inner.map(lambda text: f"({text})"),
        st.tuples(st.sampled_from("+-~"), inner).map("".join),
        inner.map(lambda text: f"sign({text})"),
    )


WHOLES = st.recursive(WHOLE_LEAVES, wholes, max_leaves=6)
TESTS = st.tuples(
    st.sampled_from(["t", "t*2", "s - t", "max_f"]), st.sampled_from(["<", ">=", "==", "!="]), WHOLES
).map(lambda parts: f"({parts[0]} {parts[1]} ({parts[2]}))")


def numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = ("sin", "cos", "arctan", "tanh", "sqrt", "abs", "floor", "ceil", "round", "log1p", "exp", "trunc")
    return st.one_of(
        joined("+ - * / // %", inner, inner),
        joined("**", inner, st.integers(0, 3).map(str)),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(names), inner).map(lambda parts: f"{parts[0]}(1.0*({parts[1]}))"),
        st.tuples(st.sampled_from(("minimum", "maximum", "arctan2", "hypot")), inner, inner).map(
            lambda parts: f"{parts[0]}(1.0*({parts[1]}), {parts[2]})"
        ),
        st.tuples(TESTS, inner, inner).map(lambda parts: f"where({', '.join(parts)})"),
        st.tuples(TESTS, inner).map(lambda parts: f"{parts[0]}*({parts[1]})"),
    )


NUMBERS_TREE = st.recursive(NUMBER_LEAVES, numbers, max_leaves=8)
FRAMES = st.fixed_dictionaries({"t": st.integers(0, 300), "s": st.integers(0, 9999), "max_f": st.integers(0, 300)})


def parts_of(node: Node) -> list[Node]:
    return [node, *(part for child in node.children for part in parts_of(child))]


def fits(text: str, frame: dict[str, int]) -> bool:
    """Whether no part divides by zero, leaves the real numbers or wraps around, all of which numexpr can hide."""
    try:
        values = [part.run(frame) for part in parts_of(Expression.parse(text, NAMES).root)]
    except (ArithmeticError, ValueError):
        return False
    return all(isinstance(value, float) or abs(value) < 2**31 for value in values)


@settings(max_examples=400)
@given(text=st.one_of(WHOLES, TESTS, NUMBERS_TREE), frame=FRAMES)
def test_random_expressions_give_what_numexpr_gives(text: str, frame: dict[str, int]) -> None:
    expected = numexpr_value(text, frame)
    assume(math.isfinite(expected))
    assume(fits(text, frame))
    assert ours(text, frame) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.text(alphabet="t()*+-/.,0123456789 sinmax_f<>=&|~^%whereE\"'[]{}:", max_size=60))
def test_any_text_gives_a_finite_number_or_an_error_with_its_place(text: str) -> None:
    error = None
    try:
        assert math.isfinite(ours(text, FRAME))
    except ExpressionError as raised:
        error = raised
    if error is not None:
        assert error.message
        assert error.remedy
        assert 1 <= error.column <= len(text) + 1


WRONG = [
    ("", 1, "a number or an expression"),
    ("1 +", 4, "Write a number"),
    ("1 2", 3, "operator"),
    ("2t", 1, "2*t"),
    ("0.5.5", 1, "0.5*.5"),
    ("010", 1, "leading zeros"),
    ("1__0", 1, "leading zeros"),
    ("(t", 3, "column 1"),
    ("t)", 2, "Remove it"),
    ("(t)(2)", 4, "multiply"),
    ("sin(t", 6, "column 1"),
    ("t, 1", 2, "Commas"),
    ("(1, 2)", 3, "Commas"),
    ("sin", 1, "sin(...)"),
    ("sine(t)", 1, '"sin"'),
    ("sin(t, 1)", 1, "commas"),
    ("where(t > 2, 1)", 1, "commas"),
    ("sin()", 1, "commas"),
    ("max_g + 1", 1, '"max_f"'),
    ("t + T", 5, '"t"'),
    ("t and 1", 3, "Write &"),
    ("(t or 1)", 4, "Write |"),
    ("not t", 1, "Write ~"),
    ("1 if t else 2", 3, "where("),
    ("lambda", 1, "cannot be defined"),
    ("t in 3", 3, "comparisons"),
    ("t.real", 2, "Attributes"),
    ("().__class__", 3, "Attributes"),
    ("t[0]", 2, "Indexing"),
    ("'a' * 3", 1, "quotes"),
    ("t = 3", 3, "=="),
    ("t := 3", 3, "functions"),
    ("t ! 3", 3, "!="),
    ("t; 1", 2, "functions"),
    ("t # 1", 3, "functions"),
    ("`t`", 1, "backtick"),
    ("ｔ", 1, "functions"),
    ("t & 1.5", 3, "where("),
    ("~(t / 2)", 1, "where("),
    ("1.5 << 2", 5, "where("),
    ("__import__(os)", 1, "Known are"),
    ("eval(t)", 1, "Known are"),
    ("sum(t)", 1, "Known are"),
    ("()", 2, "Write a number"),
    ("real(t)", 1, "Known are"),
]


@pytest.mark.parametrize(("text", "column", "remedy"), WRONG, ids=[row[0] for row in WRONG])
def test_what_is_not_the_language_is_refused_with_column_and_remedy(text: str, column: int, remedy: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text, NAMES)
    assert caught.value.column == column
    assert remedy in caught.value.remedy


NO_VALUE = [
    ("1/(t-7)", 2, "divides by zero"),
    ("3 + t%(t-7)", 6, "divides by zero"),
    ("t//0", 2, "divides by zero"),
    ("1/0", 2, "divides by zero"),
    ("0**-t", 2, "divides by zero"),
    ("1 + sqrt(t-9)", 5, "no real value"),
    ("log(t-7)", 1, "no real value"),
    ("(-8)**(1/3)", 5, "no real value"),
    ("arccos(t)", 1, "no real value"),
    ("exp(900*t)", 1, "not a finite number"),
    ("1e308*10*t", 9, "not a finite number"),
    ("t**99", 2, "too large"),
    ("2**(t*10)", 2, "too large"),
    ("1<<t*10", 2, "too large"),
    ("t<<-1", 2, "too large"),
    ("9223372036854775807*t", 20, "too large"),
]


@pytest.mark.parametrize(("text", "column", "message"), NO_VALUE, ids=[row[0] for row in NO_VALUE])
def test_no_finite_value_is_an_error_at_the_part_that_fails(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        ours(text, FRAME)
    assert caught.value.column == column
    assert message in caught.value.message
    assert caught.value.remedy


HOSTILE = {
    "tower": "9**9**9",
    "tower of t": "t**t**t**t**t",
    "brackets": "(" * 1000 + "1" + ")" * 1000,
    "many brackets": "(" * 500_000,
    "megabyte": "a" * 1_000_000,
    "megabyte of digits": "9" * 1_000_000,
    "digits": "9" * 1999,
    "minus signs": "-" * 10_000 + "1",
    "fewer minus signs": "-" * 1990 + "1",
    "tildes": "~" * 1990 + "t",
    "long sum": "t+" * 900 + "t",
    "huge exponent": "1e999999999",
    "huge power": "2**1000000000",
    "huge shift": "1<<1000000000",
    "huge shift of t": "t>>(t*1000000000)",
    "products": "*".join(["9223372036854775807"] * 95),
    "nested calls": "sin(" * 300 + "t" + ")" * 300,
    "nested where": "where(t," * 60 + "t",
    "attribute": "t.__class__.__mro__[1].__subclasses__()",
    "import": "__import__('os').system('touch hacked')",
    "many arguments": "max(" + "t," * 900 + "t)",
    "unknown name": "x" * 1999,
    "many comparisons": "t" + "<t" * 990 + "!",
    "NUL": "t\x00",
    "format": "{t}" * 600,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_ends_in_an_error_at_once(text: str) -> None:
    def seconds() -> float:
        start = time.process_time()
        with pytest.raises(ExpressionError):
            ours(text, FRAME)
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.05


@given(FRAMES)
def test_where_computes_only_the_branch_it_takes(frame: dict[str, int]) -> None:
    value = ours("where(t > 0, 1/t, 0)", frame)
    assert value == (1 / frame["t"] if frame["t"] else 0)


def test_comparisons_chain() -> None:
    assert [ours("2 < t <= 4", {**FRAME, "t": t}) for t in (2, 3, 4, 5)] == [0, 1, 1, 0]


def test_min_and_max_take_several_values() -> None:
    assert ours("max(t, 3, 9.5) - min(t, 3)", FRAME) == 6.5


def test_only_the_given_names_are_known() -> None:
    with pytest.raises(ExpressionError, match="not available here") as caught:
        Expression.parse("max_f / t", ("max_f", "s"))
    assert "max_f, s" in caught.value.remedy
    assert caught.value.column == 9


def test_whole_numbers_stay_whole() -> None:
    assert [type(ours(text, FRAME)) for text in ("t", "t*2", "t > 3", "t/7", "2.0")] == [int, int, int, float, float]


@given(st.integers(1, MAX_DEPTH - 1))
def test_ordinary_nesting_is_fine(depth: int) -> None:
    assert ours("(" * depth + "t" + ")" * depth, FRAME) == 7


def test_limits_are_inclusive() -> None:
    assert ours("1" + " " * (MAX_LENGTH - 1), FRAME) == 1
    assert ours(f"-{MAX_INTEGER}", FRAME) == -MAX_INTEGER
    assert ours("+".join(["t"] * 150), FRAME) == 1050


def test_a_value_takes_a_few_microseconds() -> None:
    expression = Expression.parse("0.25 * cos((72 / 60 * 3.141 * (t + 0) / 30))**13 + 0.7", NAMES)

    def seconds() -> float:
        start = time.process_time()
        for t in range(1000):
            expression.value(t=t, s=0, max_f=1000)
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 1000 * 20e-6
