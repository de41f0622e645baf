"""The prompts of a film as the model gets them: one row for each, with its frames and seconds."""

from __future__ import annotations

from dataclasses import dataclass

from wan_engine.schedule.film_schedule import FilmSchedule


@dataclass(frozen=True)
class PromptRow:
    """One prompt as the model gets it, and the film frames it owns.

    start, end: film frames, end exclusive; start_seconds, end_seconds: the same in the film's time.
    """

    key: str
    start: int
    end: int
    start_seconds: float
    end_seconds: float
    prompt: str
    negative: str


def prompt_rows(schedule: FilmSchedule) -> list[PromptRow]:
    """The prompts in film order, put together with the texts for all, their math evaluated at their first frame."""
    fps = schedule.timeline.fps
    rows = []
    for span in schedule.prompts.spans:
        prompt = schedule.prompts.at(span.start)
        seconds = (float(span.start / fps), float(span.end / fps))
        rows.append(PromptRow(span.key, span.start, span.end, *seconds, prompt.positive, prompt.negative))
    return rows
