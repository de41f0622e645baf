"""The planner that asks a language model, by any OpenAI-compatible service, and makes prompts richer with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from wan_engine.render.events import CancelCheck
from wan_engine.schedule.storyboard import Character, Segment, Storyboard, StoryKeyframe
from wan_engine.storyboard.lengths import Lengths
from wan_engine.storyboard.llm.client import LlmClient
from wan_engine.storyboard.llm.words import Messages, enhance_messages, story_messages
from wan_engine.storyboard.planner import Ask, Estimate, Partial, Planned, Planner, PlanningFailed, Usage
from wan_engine.storyboard.services import Service
from wan_engine.words import counted

if TYPE_CHECKING:
    from wan_engine.storyboard.llm.answers import StoryAnswer

_CHARACTERS_A_TOKEN = 4
"""Rule of thumb for English; other languages have fewer."""
_FORM_TOKENS = 700
"""About what the form of the answer takes, as tool or schema."""
_SEGMENT_TOKENS, _STORY_TOKENS = 160, 250
"""About what a segment, and what all share, take in an answer."""


class LlmPlanner(Planner):
    """Plans with a language model; durations are then fitted to the video model."""

    name = "llm"
    paid = True

    def __init__(self, service: Service, lengths: Lengths) -> None:
        self._service = service
        self._client = LlmClient(service)
        self._lengths = lengths

    def estimate(self, ask: Ask) -> Estimate:
        """Tokens by rules of thumb, dollars by the configured prices."""
        segments = ask.segments or self._guess(ask)
        sent = _tokens(story_messages(ask, self._lengths)) + _FORM_TOKENS
        received = _STORY_TOKENS + segments * _SEGMENT_TOKENS
        dollars = _dollars(self._service, sent, received)
        cost = "cost unknown: no prices are configured" if dollars is None else f"about {dollars:.4f} dollars"
        tokens = f"about {sent} tokens sent and {received} received"
        words = f"{self._service.model}: {tokens} for {counted(segments, 'segment')}; {cost}"
        return Estimate(sent, received, dollars, words, segments)

    def _guess(self, ask: Ask) -> int:
        """How many segments are likely: by the wanted length, else one for each twenty words."""
        if ask.seconds:
            return max(1, math.ceil(Fraction(str(ask.seconds)) / self._lengths.usual))
        return min(60, max(3, len(ask.text.split()) // 20))

    def plan(self, ask: Ask, partial: Partial, cancelled: CancelCheck) -> Planned:
        """Ask the model. Of an answer that fails the whole segments go with the error."""
        from wan_engine.storyboard.llm.answers import partial_answer, story_form

        ask.check()
        part: Storyboard | None = None

        def seen(values: dict[str, Any]) -> None:
            nonlocal part
            answer = partial_answer(values)
            if answer is not None and (part is None or len(answer.segments) > len(part.segments)):
                part = self._story(ask, answer, [])
                partial(part)

        try:
            form, messages = story_form(ask.segments), story_messages(ask, self._lengths)
            answer = self._client.stream(form, messages, seen, cancelled)
        except PlanningFailed as error:
            raise PlanningFailed(error.message, error.remedy, part, self._usage()) from error
        notes = [] if self._client.tokens.told else ["The service did not say how many tokens planning took"]
        return Planned(self._story(ask, answer, notes), tuple(notes), self._usage())

    def _usage(self) -> Usage | None:
        """What the service counted, dollars by the configured prices; None where it counts nothing."""
        tokens = self._client.tokens
        if not tokens.told:
            return None
        dollars = _dollars(self._service, tokens.sent, tokens.received)
        cost = "" if dollars is None else f"; {dollars:.4f} dollars"
        words = f"{self._service.model} took {tokens.sent} tokens sent and {tokens.received} received{cost}"
        return Usage(tokens.sent, tokens.received, dollars, words)

    def _story(self, ask: Ask, answer: StoryAnswer, notes: list[str]) -> Storyboard:
        segments = answer.segments
        lengths = self._fitted([Fraction(str(each.seconds)) for each in segments], ask, notes)
        return Storyboard(
            segments=tuple(
                Segment(
                    _plain(each.prompt), float(seconds), _plain(each.camera), StoryKeyframe(_plain(each.last_keyframe))
                )
                for each, seconds in zip(segments, lengths, strict=True)
            ),
            opening=StoryKeyframe(_plain(segments[0].first_keyframe)),
            title=_plain(answer.title),
            text=ask.text,
            style=_plain(answer.style),
            characters=tuple(
                Character(_plain(each.name), _plain(each.look)) for each in answer.characters or () if each.name
            ),
            continuity=_plain(answer.continuity),
            pictures=ask.pictures,
            film=dict(ask.film),
        )

    def _fitted(self, seconds: Sequence[Fraction], ask: Ask, notes: list[str]) -> list[Fraction]:
        """The durations that the video model makes, near those of the answer; a wanted length of the film is kept."""
        if ask.seconds:
            made = self._lengths.share(Fraction(str(ask.seconds)), seconds)
        else:
            made = [self._lengths.fit(each) for each in seconds]
        changed = [number for number, (one, other) in enumerate(zip(seconds, made, strict=True), 1) if one != other]
        if changed:
            words = ("segment " if len(changed) == 1 else "segments ") + ", ".join(map(str, changed))
            notes.append(f"Fitted to the lengths that the video model makes: {words}")
        return made


def enhanced(client: LlmClient, prompt: str) -> str:
    """A single prompt with more of what is seen. Raises PlanningFailed."""
    from wan_engine.storyboard.llm.answers import PromptAnswer

    return _plain(client.ask(PromptAnswer, enhance_messages(prompt)).prompt)


def _plain(words: str | None) -> str:
    """The words without backticks, between which a prompt would have math, and NUL; "" where they have not come yet."""
    return " ".join((words or "").replace("`", "'").replace("\x00", " ").split())


def _tokens(messages: Messages) -> int:
    return sum(len(message["content"]) for message in messages) // _CHARACTERS_A_TOKEN


def _dollars(service: Service, sent: int, received: int) -> float | None:
    if service.price_in is None or service.price_out is None:
        return None
    return (sent * service.price_in + received * service.price_out) / 1e6
