"""What a seam between two clips looks like, in figures, and what is wrong with it. Pure data, JSON in and out.

The bands are those in which a continuation without a visible seam stays: a clean one measures 0.98 to 1.1 in
difference, warp and motion and at most 0.3 in colour; a gain of 2 % already 1.9 in colour, a doubled frame 0 in motion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

STEP_BAND = (0.5, 1.5)
"""Difference and motion across a good seam, as parts of what they are inside the two clips."""
MOST_WARP = 1.25
"""Largest warp error across a good seam, as a part of what it is inside."""
MOST_COLOUR = 1.0
"""Largest jump of the mean colour across a good seam, in Lab units (delta E) beyond a usual step's."""
MOST_SPREAD = 1.0
"""Largest jump of the lightness' spread across a good seam, in Lab units beyond a usual step's."""
MOST_TURN = 90.0
"""Degrees by which the motion may turn across a good seam."""


@dataclass(frozen=True)
class Join:
    """How a clip joins the one before. kind: cut, last_frame, and so on, "" where that is not known.

    new_prompt: the text changes there, so that the motion may.
    """

    kind: str = ""
    new_prompt: bool = False


@dataclass(frozen=True)
class Seam:
    """One seam, measured.

    frame: the film frame at which the new clip begins.  kind, new_prompt: as in `Join`.
    difference: mean difference of the two frames at the seam over the median of the steps inside the clips beside it.
    warp: the same of what is left after the motion between the frames is undone.  motion: the same of the motion.
    colour: jump of the mean colour in Lab units (delta E), less the median step's.  spread: the same of the standard
    deviation of lightness.  turn: degrees by which the motion turns, None where nearly nothing moves.
    flash: the first frame of the new clip differs from both its neighbours, which are alike.
    """

    frame: int
    kind: str
    new_prompt: bool
    difference: float
    warp: float
    motion: float
    colour: float
    spread: float
    turn: float | None
    flash: bool = False

    def faults(self) -> Iterator[str]:
        """What is wrong with the seam, in words; nothing for a good one and for a wanted cut."""
        if self.kind == "cut":
            return
        low, high = STEP_BAND
        if self.difference < low and self.motion < low:
            yield f"the film stands still (motion {self.motion:.2f} of that inside the clips)"
        elif self.difference > high or self.warp > MOST_WARP:
            yield f"the picture jumps (difference {self.difference:.2f}, warp {self.warp:.2f} of that inside)"
        elif not low <= self.motion <= high and not self.new_prompt:
            yield f"the speed changes (motion {self.motion:.2f} of that inside the clips)"
        if self.colour > MOST_COLOUR:
            yield f"the colour jumps by {self.colour:.1f} Lab units"
        if self.spread > MOST_SPREAD:
            yield f"the contrast jumps by {self.spread:.1f} Lab units"
        if self.turn is not None and self.turn > MOST_TURN and not self.new_prompt:
            yield f"the motion turns by {self.turn:.0f} degrees"
        if self.flash:
            yield "one frame flashes"

    @property
    def grade(self) -> str:
        """`cut` for a wanted cut, else `good`, `fair` (one fault that is less than twice the limit) or `bad`."""
        if self.kind == "cut":
            return "cut"
        faults = list(self.faults())
        if not faults:
            return "good"
        return "bad" if len(faults) > 1 or self.flash or self._far_out() else "fair"

    def _far_out(self) -> bool:
        low, high = STEP_BAND
        steps = (self.difference,) if self.new_prompt else (self.difference, self.motion)
        return (
            any(step < low / 2 or step > high * 2 for step in steps)
            or self.warp > 2 * MOST_WARP
            or max(self.colour / MOST_COLOUR, self.spread / MOST_SPREAD) > 2
        )


def seam_notes(seams: Iterable[Seam], fps: Fraction) -> Iterator[str]:
    """A sentence for each seam that is not good. fps: of the film."""
    for seam in seams:
        faults = list(seam.faults())
        if faults:
            yield f"Seam at frame {seam.frame} ({float(seam.frame / fps):.2f} s): {'; '.join(faults)}"


def seam_to_json(seam: Seam) -> dict[str, Any]:
    """The seam with its grade and faults, JSON-able."""
    return {**asdict(seam), "grade": seam.grade, "faults": list(seam.faults())}


def seam_from_json(values: Mapping[str, Any]) -> Seam:
    """The seam that `seam_to_json` wrote. Raises TypeError or KeyError for damaged values."""
    return Seam(**{name: value for name, value in values.items() if name not in ("grade", "faults")})
