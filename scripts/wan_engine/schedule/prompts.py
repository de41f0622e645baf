"""Which prompt is seen at which film frame: keys become spans that partition the film, texts are put together.

The rules are Deforum's: a prompt holds until the next key, the first one covers the frames before it too, and the
boxes for all prompts are joined to each with single blanks.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.documents import listed
from wan_engine.schedule.entries import stop_if_many
from wan_engine.schedule.keys import parse_key
from wan_engine.schedule.loras import LoraWeight
from wan_engine.schedule.prompt_text import (
    Origin,
    PromptText,
    Template,
    read_negative_box,
    read_positive_box,
    read_prompt,
)
from wan_engine.schedule.timeline import Timeline


@dataclass(frozen=True)
class Prompt:
    """What the model is told at one frame: no backticks, no `--neg`, no LoRA tags, no blanks around.

    loras: those of its tags, the text for all prompts first.
    """

    positive: str
    negative: str
    loras: tuple[LoraWeight, ...] = ()


@dataclass(frozen=True)
class PromptSpan:
    """The film frames of one keyed prompt, `end` exclusive. key: as the user wrote it."""

    key: str
    start: int
    end: int


@dataclass(frozen=True)
class PromptSchedule:
    """The prompts of a film. `spans` partition the frames 0 .. timeline.frames - 1, in film order."""

    timeline: Timeline
    spans: tuple[PromptSpan, ...]
    notes: tuple[str, ...]
    _texts: tuple[PromptText, ...]
    _starts: tuple[int, ...]
    _before: PromptText
    _behind: PromptText

    @classmethod
    def parse(
        cls, prompts: Mapping[str, str], timeline: Timeline, positive: str = "", negative: str = ""
    ) -> PromptSchedule:
        """Read prompts by key, and the texts put before each and added to each one's negative part.

        Every prompt is evaluated at its first frame, so that errors come now and not in the middle of the film.
        Raises InputError with every problem of keys, math and `--neg`.
        """
        if not prompts:
            remedy = 'Give at least one, such as {"0": "a red circle moves right"}'
            raise InputError(Problem("there are no prompts", remedy, field="prompts"))
        reader = _Reader(timeline)
        before = reader.box(positive, "positive_prompt")
        behind = reader.box(negative, "negative_prompt")
        keyed = reader.seen(reader.by_frame(prompts))
        texts = [reader.text(key, prompts[key]) for key in keyed.values()]
        reader.problems.raise_if_any()
        starts = [0, *sorted(keyed)[1:]]
        ends = [*starts[1:], timeline.frames]
        spans = tuple(PromptSpan(key, start, end) for key, start, end in zip(keyed.values(), starts, ends, strict=True))
        schedule = cls(timeline, spans, tuple(reader.notes), tuple(texts), tuple(starts), before, behind)
        schedule._check()
        return schedule

    def at(self, frame: int) -> Prompt:
        """The prompt at a film frame, its math evaluated there. Raises InputError when the math has no value there."""
        text = self._texts[bisect_right(self._starts, frame) - 1]
        positive = f"{self._before.positive.at(self.timeline, frame)} {text.positive.at(self.timeline, frame)}"
        # Two blanks, as Deforum's joining leaves them where it adds no --neg of its own.
        negative = f"{text.negative.at(self.timeline, frame)}  {self._behind.negative.at(self.timeline, frame)}"
        loras = tuple(tag.at(self.timeline, frame) for tag in (*self._before.loras, *text.loras))
        return Prompt(positive.strip(), negative.strip(), loras)

    def _check(self) -> None:
        problems: dict[tuple[str, str, int | None], Problem] = {}
        for span in self.spans:
            try:
                self.at(span.start)
            except InputError as error:
                for problem in error.problems:  # math of a box fails for many prompts: told once
                    problems.setdefault((problem.field, problem.key, problem.column), problem)
        if problems:
            raise InputError(problems.values())


class _Reader:
    """Reads keys and texts and keeps what is wrong with them."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.problems = ProblemList()
        self.notes: list[str] = []

    def box(self, text: str, field: str) -> PromptText:
        """The text of a box, for every prompt."""
        read = read_positive_box if field == "positive_prompt" else read_negative_box
        try:
            box = read(text, Origin(field))
        except InputError as error:
            self.problems.extend(error)
            return PromptText(Template(), Template())
        self.notes.extend(box.notes)
        return box

    def text(self, key: str, text: str) -> PromptText:
        """One keyed prompt."""
        try:
            prompt = read_prompt(text, Origin("prompts", key))
        except InputError as error:
            self.problems.extend(error)
            stop_if_many(self.problems, "prompts")
            return PromptText(Template(), Template())
        self.notes.extend(prompt.notes)
        return prompt

    def by_frame(self, prompts: Mapping[str, str]) -> dict[int, str]:
        """The keys by their frame, in the order in which they stand; of two for one frame the last."""
        keys: dict[int, str] = {}
        twice: list[str] = []
        for key in prompts:
            try:
                frame = parse_key(key, self._timeline, "prompts")
            except InputError as error:
                for problem in error.problems:
                    self.problems.add(replace(problem, message=f"in the key: {problem.message}"))
                self.text(key, prompts[key])  # its own problems belong to the same report
                stop_if_many(self.problems, "prompts")
                continue
            if frame in keys:
                twice.append(f"{keys[frame]} and {key}")
            keys[frame] = key
        if twice:
            self.notes.append(f"prompts: keys for the same frame, the last is used: {listed(twice)}")
        return keys

    def seen(self, keys: Mapping[int, str]) -> dict[int, str]:
        """The keys within the film, in its order; where there is none, the one Deforum would show throughout."""
        inside = {frame: keys[frame] for frame in sorted(keys) if 0 <= frame < self._timeline.frames}
        outside = [key for frame, key in keys.items() if frame not in inside]
        if keys and not inside:
            first = next(iter(keys))
            self.notes.append(f'prompts: no key lies within the film; "{keys[first]}" is seen throughout')
            inside, outside = {first: keys[first]}, outside[1:]
        if outside:
            film = f"frames 0 to {self._timeline.max_f}"
            self.notes.append(f"prompts: never seen, outside the film ({film}): {listed(outside)}")
        return inside
