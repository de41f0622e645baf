"""Finds which two transformers are the experts of one Wan 2.2 A14B. Their shapes are equal, so only names can tell.

What is not said by a file's name, its folder's or its metadata is not guessed: the user is asked to say it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.models.catalog.missing import Missing, missing_expert
from wan_engine.models.catalog.ranking import ranked
from wan_engine.models.detect import Part, without_expert

_SHOWN = 3
_OTHER = {"high": "low", "low": "high"}


@dataclass(frozen=True)
class Experts:
    """The transformers of a model. high: the only one of a model with one.  low: of a model with two.

    missing: the one that is not there.  others: further files that could be the low-noise expert.
    """

    high: Part
    low: Part | None = None
    missing: Missing | None = None
    others: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """One or both."""
        return (self.high,) if self.low is None else (self.high, self.low)


def is_expert(part: Part) -> bool:
    """Whether a transformer must be one of two: it has the shapes, and something says so or nothing else has them."""
    if part.families == ("wan-tiny",):
        return bool(part.expert_hint)
    two = [family for family in part.families if "a14b" in family]
    return bool(two) and (bool(part.expert_hint) or len(two) == len(part.families))


def pair(part: Part, transformers: Sequence[Part], low: Part | None = None) -> Experts:
    """The experts of the model that `part` is a transformer of.

    transformers: those that are there.  low: the expert for low noise that the user named. Raises ModelError when the
    user's two do not go together.
    """
    if low is not None:
        _check_named(part, low)
        return Experts(part, low)
    if not is_expert(part):
        return Experts(part, notes=_doubt(part))
    channels = part.config["in_channels"]
    if not part.expert_hint:
        why = f"nothing says whether {part.path.name} is for high or low noise: set model and transformer_2"
        return Experts(part, missing=missing_expert("transformer_2", channels, why))
    wanted = _OTHER[part.expert_hint]
    twins, others = _candidates(part, transformers, wanted)
    found = twins[0] if twins else others[0] if len(others) == 1 else None
    rest = tuple(each for each in (*twins, *others) if each is not found)
    if found is None:
        component = "transformer_2" if wanted == "low" else "transformer"
        return Experts(part, missing=missing_expert(component, channels, _which(others)))
    if wanted == "low":
        return Experts(part, found, others=rest)
    return Experts(found, part)


def _candidates(part: Part, transformers: Sequence[Part], wanted: str) -> tuple[list[Part], list[Part]]:
    """Those of the same network for the other noise: named like `part` but for that, and the others."""
    able = [each for each in transformers if each.expert_hint == wanted and same_network(each, part)]
    able = ranked(able, part.path)
    twins = [each for each in able if _key(each.path) == _key(part.path)]
    return twins, [each for each in able if each not in twins]


def _key(path: Path) -> tuple[str, str]:
    """Equal for both experts of one release: the names of file and folder without what tells them apart."""
    name, folder = without_expert(path.name), without_expert(path.parent.name)
    return (name, folder) if "*" in folder else (name, "")


def same_network(one: Part, other: Part) -> bool:
    """Whether two transformers have the same figures."""
    figures = [(key, value) for key, value in one.config.items() if not key.startswith("_")]
    return one.kind == other.kind and all(other.config.get(key, value) == value for key, value in figures)


def _which(others: Sequence[Part]) -> str:
    if not others:
        return ""
    names = ", ".join(each.path.name for each in others[:_SHOWN])
    return f"it cannot be told which belongs to it: {names}; name the pair in model and transformer_2"


def _check_named(high: Part, low: Part) -> None:
    if not same_network(high, low) or high.config["in_channels"] == 48:
        message = f"transformer_2: {low.path} ({low.label}) is not of the same model as {high.path} ({high.label})"
        raise ModelError(message, "Name the two experts of one Wan 2.2 A14B")
    if (high.expert_hint, low.expert_hint) == ("low", "high"):
        message = f"transformer_2: {low.path} says high noise, and {high.path} low noise"
        raise ModelError(message, "Exchange model and transformer_2: transformer_2 is the expert for low noise")
    if high.path == low.path:
        raise ModelError(f"transformer_2: {low.path} is the model itself", "Name the expert for low noise, or leave it")


def _doubt(part: Part) -> tuple[str, ...]:
    """What is to be said of a transformer that has the shapes of an expert while nothing says that it is one."""
    if not any("a14b" in family for family in part.families):
        return ()
    label = part.label.partition(" or ")[0]
    words = f"{part.path.name} is taken as {label}: its shapes are those of an expert of Wan 2.2 too"
    return (f"{words}; if it is one, set model and transformer_2 to the pair",)
