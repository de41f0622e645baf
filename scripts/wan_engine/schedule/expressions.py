"""The arithmetic of schedules, keys and prompts: an expression is read once and computed at any frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from wan_engine.schedule.parser import VARIABLES, Node, arithmetic_error, parse
from wan_engine.schedule.tokens import MAX_INTEGER, ExpressionError

__all__ = ["VARIABLES", "Expression", "ExpressionError"]


@dataclass(frozen=True)
class Expression:
    """One expression in numexpr's language, read and ready to compute."""

    text: str
    root: Node

    @staticmethod
    def parse(text: str, names: Collection[str] = tuple(VARIABLES)) -> Expression:
        """Read an expression that may use the variables `names`.

        Raises ExpressionError, with the column in `text`, for anything outside the language.
        """
        return Expression(text, parse(text, names))

    def value(self, **variables: int) -> int | float:
        """Its value, finite, and within 64 bits if whole. Raises ExpressionError where it has none."""
        try:
            result = self.root.run(variables)
        except (ArithmeticError, ValueError) as error:
            raise arithmetic_error(error, self._culprit(variables).column) from error
        if isinstance(result, float):
            if math.isfinite(result):
                return result
            raise ExpressionError("the result is not a finite number", "Keep the values smaller", self.root.column)
        if abs(result) > MAX_INTEGER:
            raise arithmetic_error(OverflowError(), self.root.column)
        return int(result)

    def _culprit(self, variables: Mapping[str, int]) -> Node:
        """The smallest part that fails for these variables."""
        node = self.root
        while (failing := next((child for child in node.children if _fails(child, variables)), None)) is not None:
            node = failing
        return node


def _fails(node: Node, variables: Mapping[str, int]) -> bool:
    try:
        node.run(variables)
    except (ArithmeticError, ValueError):
        return True
    return False
