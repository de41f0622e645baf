"""How fast film and model go beside each other, and how long one clip may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from wan_engine.errors import InputError, Problem
from wan_engine.families import Lineup, Mode
from wan_engine.plan.timing import LEAST_INTERVALS, intervals, longest_span
from wan_engine.settings import Settings, parse_fps


@dataclass(frozen=True)
class Pace:
    """The rates of film and model in frames a second, and the user's longest clip in seconds (0: none)."""

    film_fps: Fraction
    model_fps: Fraction
    rate: Fraction
    clip_seconds: Fraction
    lineup: Lineup

    def limit(self, mode: Mode, beside: int = 0) -> int:
        """The most intervals of one clip: the family's native length, or less where the user asks for shorter clips.

        beside: model frames that are asked for besides, those of an overlap and spare ones; the user's length goes
        without them. A clip of fewer than 4 intervals, or of less than one film frame, cannot be asked for. Raises
        InputError when these frames leave no room for 4.
        """
        family = self.lineup.card(mode).family
        native = family.native_frames - 1 - beside
        if native < LEAST_INTERVALS:
            message = f"{family.label} makes clips of {family.native_frames} frames, and the overlap and the spare end "
            message += f"take {beside} of them"
            raise InputError(Problem(message, "Give smaller overlap_frames or spare_frames", field="spare_frames"))
        if not self.clip_seconds:
            return native
        asked = int(self.clip_seconds * self.model_fps)
        return min(native, max(asked, LEAST_INTERVALS, intervals(1, self.rate)))

    def longest(self, clips: Iterable[tuple[Mode, int]]) -> int:
        """Film frames that one clip may span in every one of these modes, each with the frames asked for besides.

        Raises InputError when not even one film frame fits.
        """
        limit = min(self.limit(mode, beside) for mode, beside in clips)
        longest = longest_span(self.rate, limit)
        if longest < 1:
            message = (
                f"at {float(self.model_fps):g} frames a second one frame of the film is {float(self.rate):g} frames of "
                f"the model, which makes {limit + 1} at most"
            )
            remedy = f"Give {float(self.film_fps * limit):g} or less, 0 for the model's own rate, or raise fps"
            raise InputError(Problem(message, remedy, field="model_fps"))
        return longest


def paces(settings: Settings, lineup: Lineup) -> tuple[Pace, ...]:
    """The rates a film may be planned at: the user's, or else those of the families in the line-up, each once."""
    chosen = parse_fps(settings.model_fps)
    rates = (chosen,) if chosen else tuple(dict.fromkeys(Fraction(family.fps) for family in lineup.families))
    film = settings.film_fps
    seconds = Fraction(str(settings.clip_duration))
    return tuple(Pace(film, model, model / film, seconds, lineup) for model in rates)
