"""Where clips must begin and end: the film cut at every prompt's start and at every picture's frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wan_engine.plan.pictures import FILM_START, StartPicture
from wan_engine.schedule.prompts import PromptSpan


@dataclass(frozen=True)
class Stretch:
    """Film frames between two such places; one clip, or several when it is long.

    prompt: number of its prompt span.  start, end: film frames, end exclusive.
    arrives: the film frame its time runs to: `end`, or `end - 1` when the film's last frame is a given picture. In a
    film that loops the last stretch's `end` is frame 0 again.
    first_picture, last_picture: what the frames `start` and `arrives` are, where the user says so.
    inside: frames between them that are pictures too, in order.
    """

    prompt: int
    start: int
    end: int
    arrives: int
    first_picture: StartPicture | None = None
    last_picture: StartPicture | None = None
    inside: tuple[tuple[int, StartPicture], ...] = ()

    @property
    def ends_film_on_picture(self) -> bool:
        """Whether no later clip could show its last picture."""
        return self.arrives < self.end or self.last_picture == FILM_START


def stretches(spans: Sequence[PromptSpan], pictures: Mapping[int, StartPicture], loop: bool = False) -> list[Stretch]:
    """The film's stretches in order. `spans` partition the film. loop: the last one goes on to the film's first frame.

    A picture on the film's last frame begins no stretch of its own: the one that owns the frame arrives there. Only
    a prompt that begins on that frame makes it a stretch of one frame, which then starts from the picture.
    """
    last = spans[-1].end - 1
    prompt_at = {span.start: number for number, span in enumerate(spans)}
    starts = sorted(prompt_at.keys() | (pictures.keys() - {last}))
    found = []
    prompt = 0
    for start, end in zip(starts, [*starts[1:], last + 1], strict=True):
        prompt = prompt_at.get(start, prompt)
        arrives = last if end > last and last in pictures and start < last else end
        ends_on = FILM_START if loop and end > last else pictures.get(arrives)
        found.append(Stretch(prompt, start, end, arrives, pictures.get(start), ends_on))
    return found
