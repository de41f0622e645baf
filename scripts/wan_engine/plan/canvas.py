"""The film's picture size: what the user asked, rounded down to what every model in use can make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wan_engine.families import Family
from wan_engine.settings import Settings


@dataclass(frozen=True)
class Canvas:
    """Width and height in pixels, and what was changed to get there, for the plan's notes."""

    width: int
    height: int
    notes: tuple[str, ...] = ()


def choose_canvas(settings: Settings, families: Sequence[Family]) -> Canvas:
    """The size for the families in use, that of the first clip first. 0 in the settings takes that family's own."""
    multiple = math.lcm(*(family.size_multiple for family in families))
    width, width_note = _side("Width", settings.width or families[0].width, multiple)
    height, height_note = _side("Height", settings.height or families[0].height, multiple)
    changed = [note for note in (width_note, height_note) if note]
    if not changed:
        return Canvas(width, height)
    labels = " and ".join(family.label for family in families)
    need = "needs" if len(families) == 1 else "need"
    return Canvas(width, height, (f"{'; '.join(changed)}: {labels} {need} multiples of {multiple}",))


def _side(name: str, wanted: int, multiple: int) -> tuple[int, str]:
    side = max(multiple, wanted - wanted % multiple)
    return side, "" if side == wanted else f"{name} {wanted} became {side}"
