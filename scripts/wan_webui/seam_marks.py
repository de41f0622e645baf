"""Draws a plan's measured seams: a mark in the colour and shape of its grade, its figures in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

Values = Mapping[str, Any]
"""A part of a plan as the engine's API answers it."""

GRADES = ("good", "fair", "bad", "cut")
"""What the engine says of a seam; another word is drawn like a cut."""

_KINDS = {
    "cut": "a wanted cut",
    "last_frame": "from the last frame",
    "overlap": "from the last frames",
    "keyframe": "at a picture",
    "loop": "the film's end joins its beginning",
}
_MADE_BY = {"render": "rendered", "vace": "mended by VACE", "cross_fade": "cross-faded"}


def seams_lane(plan: Values) -> str:
    """The lane of seams, with a line below that holds the words of the one that is pointed at; "" before any is
    measured."""
    seams = list(plan.get("seams") or ())
    if not seams:
        return ""
    marks = "".join(_mark(seam, plan) for seam in seams)
    return f'<div class="wan-lane wan-seams" role="list" aria-label="Seams">{marks}</div>'


def seams_words(plan: Values) -> str:
    """How many seams are of which grade; the place for the words of the one that is pointed at."""
    seams = list(plan.get("seams") or ())
    if not seams:
        return ""
    counts = {grade: sum(seam.get("grade") == grade for seam in seams) for grade in GRADES}
    told = ", ".join(f"{count} {grade}" for grade, count in counts.items() if count)
    text = f"Seams: {told}. Point at one, or go to it with Tab, for its figures; press it to see it."
    return f'<p class="wan-seam-words wan-quiet">{escape(text)}</p>'


def _mark(seam: Values, plan: Values) -> str:
    words, grade = seam_words(seam, float(plan["fps"])), str(seam.get("grade", ""))
    left = min(0.997, int(seam["frame"]) / int(plan["frames"]))
    seconds = int(seam["frame"]) / float(plan["fps"])
    return (
        f'<span role="listitem"><button type="button" class="wan-seam wan-grade-{grade if grade in GRADES else "cut"}"'
        f' style="left:{left:.3%}" data-seconds="{seconds:.3f}" title="{escape(words)}" aria-label="{escape(words)}">'
        "</button></span>"
    )


def seam_words(seam: Values, fps: float) -> str:
    """Everything that is known of a seam, in sentences."""
    kind = str(seam.get("kind", ""))
    place = f"Seam at {int(seam['frame']) / fps:.2f} s (frame {seam['frame']}), {_KINDS.get(kind, kind or 'a join')}"
    sentences = [f"{place}: {seam.get('grade', '')}", *_faults(seam), *_figures(seam), *_versions(seam)]
    return ". ".join(f"{sentence[:1].upper()}{sentence[1:]}" for sentence in sentences) + "."


def _faults(seam: Values) -> Iterator[str]:
    faults = [str(fault) for fault in seam.get("faults") or ()]
    if faults:
        yield "; ".join(faults)


def _figures(seam: Values) -> Iterator[str]:
    yield (
        f"difference {seam['difference']:.2f}, warp {seam['warp']:.2f} and motion {seam['motion']:.2f} of those inside "
        f"the clips; colour {seam['colour']:.1f} and contrast {seam['spread']:.1f} Lab units"
    )
    if seam.get("turn") is not None:
        yield f"the motion turns by {seam['turn']:.0f} degrees"
    if seam.get("drift") is not None:
        yield f"colours drifted by {seam['drift']:.1f} Lab units so far"


def _versions(seam: Values) -> Iterator[str]:
    versions: Sequence[Values] = seam.get("versions") or ()
    if versions:
        tried = ", ".join(
            f"{_MADE_BY.get(str(each['made_by']), each['made_by'])} {each['grade']}{' (kept)' if each['kept'] else ''}"
            for each in versions
        )
        yield f"tried: {tried}"
