"""What a planner must do: turn one long prompt into a storyboard. `planners.py` names the members."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wan_engine.errors import InputError, Problem, WanError
from wan_engine.render.events import CancelCheck
from wan_engine.schedule.documents import HALF_A_CHARACTER, WHOLE_CHARACTERS, half_character
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.settings_pictures import PictureSettings
from wan_engine.settings_planning import MOST_SECONDS, MOST_SEGMENTS

MOST_CHARACTERS = 100_000
"""Longest prompt that is planned: about fifty pages."""


@dataclass(frozen=True)
class Ask:
    """What a user wants planned.

    text: the long prompt.  seconds: length of the whole film, 0 as the text asks.  segments: how many, 0 as fits.
    film, pictures: what the storyboard shall hold of settings, unchanged by the planner.
    """

    text: str
    seconds: float = 0.0
    segments: int = 0
    film: Mapping[str, Any] = field(default_factory=dict)
    pictures: PictureSettings = field(default_factory=PictureSettings)

    def check(self) -> None:
        """Raise InputError with everything that is wrong."""
        problems = []
        if not self.text.strip():
            problems.append(Problem("there is no text", "Write what the film shall show", field="text"))
        if len(self.text) > MOST_CHARACTERS:
            message = f"it has {len(self.text):,} characters"
            problems.append(Problem(message, f"The most is {MOST_CHARACTERS:,}: plan it in parts", field="text"))
        if "\x00" in self.text:
            problems.append(Problem("the text holds a NUL character", "Remove it", field="text"))
        if half_character(self.text) is not None:
            problems.append(Problem(HALF_A_CHARACTER, WHOLE_CHARACTERS, field="text"))
        if not 0 <= self.seconds <= MOST_SECONDS:
            message = f"{self.seconds:g} is out of range"
            problems.append(Problem(message, f"Give 0 to {MOST_SECONDS:g} seconds", field="seconds"))
        if not 0 <= self.segments <= MOST_SEGMENTS:
            problems.append(Problem(f"{self.segments} is out of range", f"Give 0 to {MOST_SEGMENTS}", field="segments"))
        if problems:
            raise InputError(problems)


@dataclass(frozen=True)
class Usage:
    """What planning took. tokens: sent and received, of all answers.

    dollars: None where the prices are not configured.  words: the same for people.
    """

    tokens_in: int
    tokens_out: int
    dollars: float | None
    words: str


@dataclass(frozen=True)
class Estimate(Usage):
    """What planning would take, about; no tokens without a service. segments: how many, about."""

    segments: int


@dataclass(frozen=True)
class Planned:
    """A planned storyboard. notes: what the user should know of how it came about.

    usage: as the service counted it; None without a service, or where it does not say.
    """

    storyboard: Storyboard
    notes: tuple[str, ...] = ()
    usage: Usage | None = None


class PlanningFailed(WanError):
    """The planner's service failed for good. part: the whole segments that came before that; None without any.

    usage: what was spent all the same, if that is known.
    """

    exit_code = 5

    def __init__(
        self, message: str, remedy: str = "", part: Storyboard | None = None, usage: Usage | None = None
    ) -> None:
        self.part = part
        self.usage = usage
        super().__init__(message, remedy)


Partial = Callable[[Storyboard], None]
"""Takes the storyboard as far as it is known, again and again while it is planned."""


class Planner(ABC):
    """Turns an ask into a storyboard. name: as users choose it.  paid: whether it costs money."""

    name: str
    paid: bool

    @abstractmethod
    def estimate(self, ask: Ask) -> Estimate:
        """What planning this would take. Asks no service."""

    @abstractmethod
    def plan(self, ask: Ask, partial: Partial, cancelled: CancelCheck) -> Planned:
        """The whole storyboard. Raises InputError, Cancelled and PlanningFailed."""
