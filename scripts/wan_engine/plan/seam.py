"""What a seam between two clips looks like, in figures, and what is wrong with it. Pure data, JSON in and out.

The bands are those in which a continuation without a visible seam stays: a clean one measures 0.98 to 1.1 in
difference, warp and motion and at most 0.3 in colour; a gain of 2 % already 1.9 in colour, a doubled frame 0 in motion.
"""

from __future__ import annotations

import math
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
MOST_MENDED = 1.3
"""Difference across a seam, as a part of what it is inside, from which on a seam that is otherwise good is mended."""
MOST_DRIFT = 2.0
"""Delta E between a clip's mean colour and that of the first clip from which it is told, for the same text."""
GRADES = ("cut", "good", "fair", "bad")
"""From nothing wrong to most wrong."""


@dataclass(frozen=True)
class Join:
    """How a clip joins the one before. kind: cut, last_frame, and so on, "" where that is not known.

    new_prompt: the text changes there, so that the motion may.
    since: the film frame at which the clip begins from which this one is reached without a cut; None for a film's end
    that joins its beginning (kind `loop`).
    """

    kind: str = ""
    new_prompt: bool = False
    since: int | None = 0


@dataclass(frozen=True)
class Version:
    """One way in which a seam was made: the clip behind it rendered with a seed, or the seam mended.

    made_by: render, vace or cross_fade.  seed: of the noise, None where none is drawn.  kept: it is in the film.
    grade, difference, warp, motion, colour: as in `Seam`.
    """

    made_by: str
    seed: int | None
    grade: str
    difference: float
    warp: float
    motion: float
    colour: float
    kept: bool = False


@dataclass(frozen=True)
class Seam:
    """One seam, measured.

    frame: the film frame at which the new clip begins.  kind, new_prompt: as in `Join`.
    difference: mean difference of the two frames at the seam over the median of the steps inside the clips beside it.
    warp: the same of what is left after the motion between the frames is undone.  motion: the same of the motion.
    colour: jump of the mean colour in Lab units (delta E), less the median step's.  spread: the same of the standard
    deviation of lightness.  turn: degrees by which the motion turns, None where nearly nothing moves.
    flash: the first frame of the new clip differs from both its neighbours, which are alike.
    drift: delta E between the new clip's mean colour and that of the clip from which it is reached without a cut; None
    at a cut and where a film that loops closes.
    versions: what was tried for the seam, the first one first; empty when nothing was asked for.
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
    drift: float | None = None
    versions: tuple[Version, ...] = ()

    @property
    def freeze(self) -> bool:
        """Whether the film stands still across the seam, as it does where a frame is doubled."""
        return self.kind != "cut" and max(self.difference, self.motion) < STEP_BAND[0]

    def faults(self) -> Iterator[str]:
        """What is wrong with the seam, in words; nothing for a good one and for a wanted cut."""
        if self.kind == "cut":
            return
        low, high = STEP_BAND
        if self.freeze:
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
    def shows(self) -> bool:
        """Whether there is anything to mend."""
        return self.kind != "cut" and (self.difference > MOST_MENDED or next(self.faults(), None) is not None)

    @property
    def grade(self) -> str:
        """`cut` for a wanted cut, else `good`, `fair` (one fault that is less than twice the limit) or `bad`."""
        if self.kind == "cut":
            return "cut"
        faults = list(self.faults())
        if not faults:
            return "good"
        return "bad" if len(faults) > 1 or self.flash or self._far_out() else "fair"

    @property
    def rank(self) -> tuple[int, bool, float]:
        """The smaller, the better: by grade, by whether there is anything to mend, then by how far the figures lie from
        those of no seam, in their limits.
        """
        steps = (self.difference,) if self.new_prompt else (self.difference, self.motion)
        far = sum(abs(math.log(max(step, 0.01))) / math.log(STEP_BAND[1]) for step in steps)
        far += max(0.0, self.warp - 1) / (MOST_WARP - 1) + self.colour / MOST_COLOUR + self.spread / MOST_SPREAD
        far += 0.0 if self.turn is None or self.new_prompt else self.turn / MOST_TURN
        return GRADES.index(self.grade), self.shows, round(far, 3)

    def version(self, made_by: str, seed: int | None = None) -> Version:
        """What was measured, as one that was tried."""
        figures = (self.grade, self.difference, self.warp, self.motion, self.colour)
        return Version(made_by, seed, *figures)

    def _far_out(self) -> bool:
        low, high = STEP_BAND
        steps = (self.difference,) if self.new_prompt else (self.difference, self.motion)
        return (
            any(step < low / 2 or step > high * 2 for step in steps)
            or self.warp > 2 * MOST_WARP
            or max(self.colour / MOST_COLOUR, self.spread / MOST_SPREAD) > 2
        )


def seam_notes(seams: Iterable[Seam], fps: Fraction) -> Iterator[str]:
    """A sentence for each seam that is not good, and for each run of clips whose colours drift. fps: of the film."""
    seams = list(seams)
    for seam in seams:
        faults = list(seam.faults())
        if faults:
            yield f"Seam at frame {seam.frame} ({float(seam.frame / fps):.2f} s): {'; '.join(faults)}"
    for seam in _most_drifted(seams):
        place = f"frame {seam.frame} ({float(seam.frame / fps):.2f} s)"
        yield f"Colours drift: the clip from {place} on lies {seam.drift:.1f} Lab units from where its chain began"


def _most_drifted(seams: Iterable[Seam]) -> Iterator[Seam]:
    """The seam with the most drift of each run of clips without a cut, as far as the text is the same."""
    worst: Seam | None = None
    told = True
    for seam in (*seams, None):
        if seam is None or seam.drift is None:
            if worst is not None:
                yield worst
            worst, told = None, True
            continue
        told = told and not seam.new_prompt
        if told and seam.drift > max(MOST_DRIFT, worst.drift or 0.0 if worst else 0.0):
            worst = seam


def seam_to_json(seam: Seam) -> dict[str, Any]:
    """The seam with its grade and faults, JSON-able."""
    versions = [asdict(version) for version in seam.versions]
    derived = {"freeze": seam.freeze, "grade": seam.grade, "faults": list(seam.faults())}
    return {**asdict(seam), "versions": versions, **derived}


def seam_from_json(values: Mapping[str, Any]) -> Seam:
    """The seam that `seam_to_json` wrote. Raises TypeError or KeyError for damaged values."""
    known = {name: value for name, value in values.items() if name not in ("freeze", "grade", "faults")}
    return Seam(**{**known, "versions": tuple(Version(**version) for version in values.get("versions", ()))})
