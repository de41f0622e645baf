"""How a clip follows the one before: the members of the setting `continuity`. A new way is a new member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wan_engine.families import Lineup


@dataclass(frozen=True)
class Continuity:
    """One way to follow.

    hands_over: whether a clip starts from the last frame of the one before; asked with the models and with whether
    the clip has a picture to arrive at.
    jump: what a hard cut is when the film cannot arrive at a picture smoothly: wanted by the user, noted, or refused.
    """

    name: str
    hands_over: Callable[[Lineup, bool], bool]
    jump: Literal["wanted", "noted", "refused"]


def _as_the_models_can(lineup: Lineup, arrives: bool) -> bool:
    return lineup.can("i2v") or (arrives and lineup.can("flf2v"))


CONTINUITIES: dict[str, Continuity] = {
    member.name: member
    for member in (
        Continuity("auto", _as_the_models_can, "noted"),
        Continuity("last_frame", lambda _lineup, _arrives: True, "refused"),
        Continuity("cut", lambda _lineup, _arrives: False, "wanted"),
    )
}
"""By the setting's value; the same values are its choices in `settings`."""
