"""Reads prompts written one a line: `0: a cat`, `12.5s: a dog`, `max_f/2: a bird`."""

from __future__ import annotations

import re

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.documents import (
    HALF_A_CHARACTER,
    WHOLE_CHARACTERS,
    Document,
    half_character,
    listed,
    problem_at,
)
from wan_engine.schedule.entries import stop_if_many

_NEW_LINE = re.compile("\r\n|\r|\n")


def read_lines(text: str, field: str = "prompts") -> Document:
    """The prompts of a text: on each line a key, a colon and the prompt. Blank lines and those from # on are skipped.

    Of a key that stands twice the last text counts, with a note. Raises InputError with every line it cannot read.
    """
    position = half_character(text)
    if position is not None:
        raise InputError(problem_at(text, position, HALF_A_CHARACTER, WHOLE_CHARACTERS))
    problems = ProblemList()
    prompts: dict[str, str] = {}
    twice: list[str] = []
    for number, line in enumerate(_NEW_LINE.split(text), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, colon, prompt = (part.strip() for part in stripped.partition(":"))
        problem = _line_problem(key, colon, prompt)
        if problem:
            column = len(line) - len(line.lstrip()) + 1
            problems.add(Problem(*problem, field=field, line=number, column=column))
            stop_if_many(problems, field)
            continue
        if key in prompts:
            twice.append(key)
        prompts[key] = prompt
    problems.raise_if_any()
    notes = (f"{field}: given twice, the last text is used: {listed(twice)}",) if twice else ()
    return Document(prompts, notes)


def _line_problem(key: str, colon: str, prompt: str) -> tuple[str, str] | None:
    if key.startswith(('"', "'")) and prompt.startswith(('"', "'")):
        return "this looks like JSON without its brackets", "Put { before the first line and } after the last"
    if not colon:
        return (
            "there is no key before the text",
            'Write "0: text": the frame from which it is seen, a colon, the prompt',
        )
    if not key:
        return "there is nothing before the colon", 'Write the frame from which the prompt is seen: "0: text"'
    return None
