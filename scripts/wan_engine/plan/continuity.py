"""How a clip follows the one before: the members of the setting `continuity`. A new way is a new member."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from wan_engine.errors import Problem
from wan_engine.families import Lineup, Mode
from wan_engine.plan.timing import LATENT_STRIDE
from wan_engine.settings import SETTINGS, Settings

Way = Literal["cut", "last_frame", "overlap"]
"""How one clip follows: not at all, from the last frame of the one before, or from its last few frames."""

WAYS: tuple[Way, ...] = ("cut", "last_frame", "overlap")

Start = Literal["picture", "clip", "text"]
"""What a clip starts from: a given picture, the end of the clip before, or its prompt alone."""


@dataclass(frozen=True)
class Continuity:
    """One value of the setting.

    way: how a clip follows; asked with the models and with whether the clip has a picture to arrive at.
    jump: what a hard cut is when the film cannot arrive at a picture smoothly: wanted by the user, noted, or refused.
    """

    name: str
    way: Callable[[Lineup, bool], Way]
    jump: Literal["wanted", "noted", "refused"]

    def hands_over(self, lineup: Lineup, arrives: bool) -> bool:
        """Whether a clip goes on from the one before."""
        return self.way(lineup, arrives) != "cut"


def _best(lineup: Lineup, arrives: bool) -> Way:
    """Image-to-video goes first where it is there: it follows a new prompt more freely than a longer beginning does."""
    if lineup.can("i2v"):
        return "last_frame"
    if lineup.can("vace"):
        return "overlap"
    return "last_frame" if arrives and lineup.can("flf2v") else "cut"


CONTINUITIES: dict[str, Continuity] = {
    member.name: member
    for member in (
        Continuity("auto", _best, "noted"),
        Continuity("last_frame", lambda _lineup, _arrives: "last_frame", "refused"),
        Continuity("overlap", lambda _lineup, _arrives: "overlap", "refused"),
        Continuity("cut", lambda _lineup, _arrives: "cut", "wanted"),
    )
}
"""By the setting's value; the same values are its choices in `settings`."""


@dataclass(frozen=True)
class Joining:
    """What the user wants of joins: the continuity, and in model frames the length of an overlap and the spare ones."""

    continuity: Continuity
    overlap: int
    spare: int

    @classmethod
    def of(cls, settings: Settings) -> Joining:
        """As the settings say."""
        return cls(CONTINUITIES[settings.continuity], settings.overlap_frames, settings.spare_frames)


_ABLE: dict[tuple[bool, bool], tuple[Mode, ...]] = {
    (False, False): ("i2v", "vace"),
    (False, True): ("flf2v", "vace"),
    (True, False): ("vace", "i2v"),
    (True, True): ("vace", "flf2v"),
}
"""The modes that can, the best first: by whether a clip begins with several frames, and whether it arrives."""


def mode_for(lineup: Lineup, start: Start, way: Way, arrives: bool) -> Mode:
    """The mode in which such a clip is rendered; one that no model can do when none can.

    A clip that cannot arrive at its picture only starts.
    """
    if start == "text":
        return "t2v" if lineup.can("t2v") or not lineup.can("vace") else "vace"
    several = start == "clip" and way == "overlap"
    modes = (*(_ABLE[several, True] if arrives else ()), *_ABLE[several, False])
    return next((mode for mode in modes if lineup.can(mode)), _ABLE[several, False][0])


def can_arrive(lineup: Lineup) -> bool:
    """Whether a clip that starts from something can end on a given picture."""
    return lineup.can("flf2v") or lineup.can("vace")


def arrives_in(mode: Mode) -> bool:
    """Whether clips of this mode can end on a given picture."""
    return mode in ("flf2v", "vace")


def whole_latents(frames: int) -> int:
    """The most frames, at most this many, that fill whole latent frames: 1, 5, 9 and so on. frames: 1 or more."""
    return frames - (frames - 1) % LATENT_STRIDE


def joining_problems(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the lengths of overlaps, of spare ends and of repairs."""
    if whole_latents(settings.overlap_frames) != settings.overlap_frames:
        message = f"{settings.overlap_frames} frames do not fill whole latent frames"
        spec = SETTINGS["overlap_frames"]
        able = [str(count) for count in range(int(spec.minimum or 0), int(spec.maximum or 0) + 1, LATENT_STRIDE)]
        yield Problem(message, f"Give {', '.join(able[:-1])} or {able[-1]}", field="overlap_frames")
    for name, some in (("spare_frames", "0, 4, 8 and so on"), ("repair_frames", "8, 12 or 16")):
        if getattr(settings, name) % LATENT_STRIDE:
            message = f"{getattr(settings, name)} is no multiple of {LATENT_STRIDE}"
            yield Problem(message, f"Models make {LATENT_STRIDE} frames at a time: give {some}", field=name)
