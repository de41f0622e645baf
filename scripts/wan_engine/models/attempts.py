"""What was tried and what came of it: fallbacks as data, each failure kept with its reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

from wan_engine.errors import ModelError, WanError

Outcome = Literal["used", "failed"]
Result = TypeVar("Result")

log = logging.getLogger(__name__)

_MOST_WORDS = 400
"""Characters that are kept of a library's reason; some print a page."""


@dataclass(frozen=True)
class Attempt:
    """One way that was tried.

    what: the thing and the way, such as `vae: /models/vae.safetensors (Wan 2.1 VAE, bf16), read as float32`.
    reason: why it failed; "" when it is used.  seconds: it took.  bytes: of the weights; 0 where there are none.
    """

    what: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The attempt as JSON-able values."""
        return asdict(self)

    def __str__(self) -> str:
        if self.outcome == "failed":
            return f"{self.what}: failed: {self.reason}"
        size = f", {self.bytes / 1e6:.1f} MB" if self.bytes else ""
        return f"{self.what}: {self.seconds:.1f} s{size}"


@dataclass(frozen=True)
class Way:
    """One way to something. what, bytes: as in `Attempt`.  go: does it."""

    what: str
    go: Callable[[], Any]
    bytes: int = 0


class Attempts:
    """The attempts of one loader, in their order. Taken by whoever shows them, each once."""

    def __init__(self) -> None:
        self._made: list[Attempt] = []

    def take(self) -> tuple[Attempt, ...]:
        """The attempts since the last time this was asked."""
        made, self._made = tuple(self._made), []
        return made

    def first_of(self, ways: Sequence[Way], final: Callable[[Exception], bool]) -> Any:
        """What the first way gives that works; the ways are tried in order, and each attempt is kept.

        final: whether an error is no fault of the way, so that no other would help; it is raised at once. When every
        way fails, the error is the first one's, the way that was wanted, with what became of the others below it.
        """
        failures: list[tuple[Way, Exception]] = []
        for way in ways:
            started = time.monotonic()
            try:
                result = way.go()
            except Exception as error:
                self._keep(way, started, _words(error))
                if final(error):
                    raise
                failures.append((way, error))
            else:
                self._keep(way, started)
                return result
        raise _joined(failures) from failures[0][1]

    def _keep(self, way: Way, started: float, reason: str = "") -> None:
        outcome: Outcome = "failed" if reason else "used"
        attempt = Attempt(way.what, outcome, reason, round(time.monotonic() - started, 3), way.bytes)
        log.info("%s", attempt)
        self._made.append(attempt)


def _words(error: Exception) -> str:
    text = error.message if isinstance(error, WanError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:_MOST_WORDS]


def _joined(failures: Sequence[tuple[Way, Exception]]) -> ModelError:
    (first, wanted), others = failures[0], failures[1:]
    also = "".join(f". Also tried {way.what}: {_words(error)}" for way, error in others)
    if isinstance(wanted, WanError):
        return ModelError(wanted.message + also, wanted.remedy)
    return ModelError(f"{first.what} failed: {_words(wanted)}{also}", "Look at the first of these")
