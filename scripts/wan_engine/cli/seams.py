"""The verb `seams`: what the joins of a film's clips look like, in figures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.screen import Screen, one_line

if TYPE_CHECKING:
    from wan_engine.plan.seam import Seam

GRADE_STYLES = {"good": "green", "fair": "yellow", "bad": "red", "cut": "dim"}


@verb()
def seams(
    screen: Screen,
    film: Annotated[str, typer.Argument(metavar="FILM", help="A film file.")],
    cuts: Annotated[
        str,
        typer.Option(
            metavar="FRAMES",
            help="Where something joins: frames or seconds, such as 80,160 or 2.5s. Films of ours know their own.",
        ),
    ] = "",
) -> None:
    """Measure the seams of a film: how the step across each differs from those inside the clips."""
    from wan_engine.media.probe import probe
    from wan_engine.plan.seam import seam_to_json
    from wan_engine.seams.film import joins_of, seams_of

    path = Path(film).expanduser()
    fps = probe(path).fps
    found = seams_of(path, joins_of(path, [word for word in cuts.split(",") if word.strip()]))
    if screen.json:
        screen.document({"film": str(path), "seams": [seam_to_json(seam) for seam in found]})
        return
    if not found:
        screen.line(screen.out, "The film has no seams")
    for seam in found:
        _show(screen, seam, fps)


def _show(screen: Screen, seam: Seam, fps: Fraction) -> None:
    """One line of figures, then what is wrong."""
    kind = f", {seam.kind}" if seam.kind else ""
    turn = "" if seam.turn is None else f", turn {seam.turn:.0f} degrees"
    turn += "" if seam.drift is None else f", drift {seam.drift:.2f}"
    figures = f"difference {seam.difference:.2f}, warp {seam.warp:.2f}, motion {seam.motion:.2f}"
    place = f"Frame {seam.frame} ({float(seam.frame / fps):.2f} s{kind})"
    words = f"{place}: {seam.grade}; {figures}, colour {seam.colour:.2f}, contrast {seam.spread:.2f}{turn}"
    screen.line(screen.out, words, style=GRADE_STYLES[seam.grade])
    for fault in seam.faults():
        screen.line(screen.out, f"  {one_line(fault)}")
