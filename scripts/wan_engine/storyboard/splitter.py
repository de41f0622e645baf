"""The planner without a service: the text's own scenes, sentences and durations, always the same for the same text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from wan_engine.errors import InputError, Problem
from wan_engine.render.events import CancelCheck
from wan_engine.schedule.storyboard import MOST_SECONDS, Character, Segment, Storyboard, StoryKeyframe
from wan_engine.settings_planning import MOST_SEGMENTS
from wan_engine.storyboard.lengths import Lengths
from wan_engine.storyboard.planner import Ask, Estimate, Partial, Planned, Planner
from wan_engine.storyboard.scene_text import Scene, SceneText, Sentence, read_scene_text
from wan_engine.words import counted

_WORDS_A_SECOND = Fraction(5, 2)
"""About as fast as a story is told aloud."""
_LONGEST_TITLE = 60


class Splitter(Planner):
    """Each sentence is a segment. The keyframe before it shows what it says; the last one what the last one says."""

    name = "splitter"
    paid = False

    def __init__(self, lengths: Lengths) -> None:
        self._lengths = lengths

    def estimate(self, ask: Ask) -> Estimate:
        """Nothing: no service is asked."""
        segments = len(self.plan(ask, lambda _story: None, lambda: False).storyboard.segments)
        return Estimate(0, 0, 0.0, "The splitter asks no service and costs nothing", segments)

    def plan(self, ask: Ask, partial: Partial, cancelled: CancelCheck) -> Planned:
        """Split the text. Raises InputError when nothing in it can be seen."""
        ask.check()
        found = read_scene_text(ask.text)
        if not found.scenes:
            raise InputError(Problem("there is no sentence in it", "Write what the film shall show", field="text"))
        notes: list[str] = []
        sentences = _fewer(_flat(found.scenes, self._lengths), ask.segments, notes)
        seconds = self._durations(sentences, ask, found, notes)
        segments = tuple(
            Segment(_plain(each.words), float(length), _plain(each.camera))
            for each, length in zip(sentences, seconds, strict=True)
        )
        story = Storyboard(
            segments=_with_keyframes(segments),
            opening=StoryKeyframe(segments[0].prompt),
            title=_plain(found.title) or _shortened(segments[0].prompt),
            text=ask.text,
            style=_plain(found.style),
            characters=tuple(Character(_plain(each.name), _plain(each.look)) for each in found.characters),
            continuity=_plain(found.continuity),
            pictures=ask.pictures,
            film=dict(ask.film),
        )
        return Planned(story, tuple(notes))

    def _durations(self, sentences: Sequence[Sentence], ask: Ask, found: SceneText, notes: list[str]) -> list[Fraction]:
        """A good duration for each sentence: its own, else by its words; a film's wanted length is shared out."""
        total = Fraction(str(ask.seconds)) if ask.seconds else found.seconds
        lengths = self._lengths
        free = [each for each in sentences if each.seconds is None]
        said = sum((lengths.fit(each.seconds) for each in sentences if each.seconds is not None), Fraction(0))
        if total is None or not free:
            if total is not None and said != total:
                notes.append(f"The durations in the text make {float(said):g} s; {float(total):g} s are asked for")
            shared = [self._told(each) for each in free]
        else:
            shared = lengths.share(max(Fraction(0), total - said), [each.weight for each in free])
        rest = iter(shared)
        made = [lengths.fit(each.seconds) if each.seconds is not None else next(rest) for each in sentences]
        self._tell(sentences, made, total, notes)
        return [min(each, Fraction(MOST_SECONDS)) for each in made]

    def _told(self, sentence: Sentence) -> Fraction:
        lengths = self._lengths
        return lengths.fit(min(lengths.most, max(lengths.short, sentence.weight / _WORDS_A_SECOND)))

    def _tell(
        self, sentences: Sequence[Sentence], made: Sequence[Fraction], total: Fraction | None, notes: list[str]
    ) -> None:
        """What became of durations that were asked for."""
        for number, (sentence, length) in enumerate(zip(sentences, made, strict=True), 1):
            if sentence.seconds is not None and sentence.seconds != length:
                notes.append(
                    f"Segment {number}: {float(sentence.seconds):g} s became {float(length):g} s, "
                    f"a length that the model makes"
                )
            if length > self._lengths.most:
                notes.append(
                    f"Segment {number} has {float(length):g} s and is made as several clips: "
                    f"the model makes {float(self._lengths.most):g} s at once"
                )
        if total is not None and sum(made) != total:
            notes.append(f"The film has {float(sum(made)):g} s; {float(total):g} s were asked for")


def _flat(scenes: Sequence[Scene], lengths: Lengths) -> list[Sentence]:
    """The sentences of all scenes: with the scene's place in their words, and their share of its duration."""
    found = []
    for scene in scenes:
        free = [each for each in scene.sentences if each.seconds is None]
        said = sum((each.seconds for each in scene.sentences if each.seconds is not None), Fraction(0))
        left = max(Fraction(0), scene.seconds - said) if scene.seconds is not None else None
        shares = iter(lengths.share(left, [each.weight for each in free]) if left is not None and free else ())
        for each in scene.sentences:
            words = f"{each.words.rstrip('.')}, {scene.place}" if scene.place else each.words
            own = each.seconds if each.seconds is not None else next(shares, None)
            found.append(replace(each, words=words, seconds=own))
    return found


def _fewer(sentences: list[Sentence], wanted: int, notes: list[str]) -> list[Sentence]:
    """The sentences, joined with their neighbours until there are as many as wanted: the shortest first."""
    most = wanted or MOST_SEGMENTS
    if wanted and len(sentences) < wanted:
        notes.append(f"The text has {counted(len(sentences), 'sentence')}, so there are as many segments, not {wanted}")
    if not wanted and len(sentences) > most:
        notes.append(f"The text has {len(sentences)} sentences; neighbours were joined to {most} segments")
    while len(sentences) > most:
        pairs = range(len(sentences) - 1)
        first = min(pairs, key=lambda number: sentences[number].weight + sentences[number + 1].weight)
        sentences[first : first + 2] = [_joined(sentences[first], sentences[first + 1])]
    return sentences


def _joined(one: Sentence, other: Sentence) -> Sentence:
    seconds = None if one.seconds is None or other.seconds is None else one.seconds + other.seconds
    camera = ", then ".join(filter(None, (one.camera, other.camera)))
    return Sentence(f"{one.words} {other.words}", seconds, camera)


def _with_keyframes(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    shown = [segment.prompt for segment in (*segments[1:], segments[-1])]
    return tuple(replace(segment, last=StoryKeyframe(words)) for segment, words in zip(segments, shown, strict=True))


def _plain(words: str) -> str:
    """The words without backticks, between which a prompt would have math."""
    return words.replace("`", "'")


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST_TITLE else words[: _LONGEST_TITLE - 1].rstrip() + "…"
