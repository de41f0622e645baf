"""What a render reports while it goes on: one frozen record, JSON-able but for its preview picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.errors import Cancelled

if TYPE_CHECKING:
    from wan_engine.backends import Picture
    from wan_engine.models.attempts import Attempt


@dataclass(frozen=True)
class Event:
    """One moment of a render.

    kind: started, looking, captions, ready, loading, tried, note, clip_started, step, decoding, clip_done, encoding,
    film_done, released;
    before the film of a storyboard: story (with its folder as message), planning, storyboard, usage, memory_wanted,
    keyframe, keyframe_done.
    clip, clips: number of the clip from 0 and how many there are.  step, steps: done and all, of this clip.
    steps_done, steps_total: of the whole film.  seconds_left: estimate for the film, None before there is one.
    preview: RGB picture of what the clip becomes, with some of the step events.
    attempt: what was tried and what came of it, of the kind `tried`.
    data: of a storyboard's events (story, storyboard, usage, keyframe), what they tell: JSON-able.
    """

    kind: str
    message: str = ""
    clip: int = 0
    clips: int = 0
    step: int = 0
    steps: int = 0
    steps_done: int = 0
    steps_total: int = 0
    seconds_left: float | None = None
    preview: Picture | None = None
    attempt: Attempt | None = None
    data: Mapping[str, Any] | None = None

    @property
    def words(self) -> str:
        """What a log says of it: its kind, the clip if it is about one, the message."""
        about_clip = self.kind.startswith(("clip", "loading", "decoding")) and self.clips
        place = f", clip {self.clip + 1} of {self.clips}" if about_clip else ""
        return f"{self.kind}{place}{f': {self.message}' if self.message else ''}"


Report = Callable[[Event], None]
"""Takes each event as it happens; called from the rendering thread, so it must be quick."""

CancelCheck = Callable[[], bool]
"""Says whether the user wants the work to stop."""


def stopped() -> Cancelled:
    """The error that carries the user's wish to stop up to whoever asked for the film."""
    return Cancelled("the render was stopped", "What is finished is kept; resume it to go on")
