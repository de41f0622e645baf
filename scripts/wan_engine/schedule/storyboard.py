"""The storyboard: a film as segments between keyframes, each in words, and the whole words that go to the models.

    keyframe 0 ── segment 1 ── keyframe 1 ── segment 2 ── keyframe 2
    (opening)                  (its last)                 (its last)

A segment starts on the last keyframe of the one before. What all segments share (style, looks of the characters,
continuity) is put behind the words of each of them, because a video model forgets from clip to clip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from wan_engine.settings_pictures import PictureSettings

LEAST_SECONDS, MOST_SECONDS = 0.25, 60.0
"""Shortest and longest segment."""


@dataclass(frozen=True)
class StoryKeyframe:
    """A picture that the film passes. Everything may be empty but one of description and image, once it is to be made.

    description: what it shows.  image: path of the picture, "" until there is one.  locked: it is never made again.
    seed: its own, else the storyboard's plus its number.  strength: its own change from the keyframe before, 0 to 1.
    mask: path of a grey picture; white is made new, black stays as in the keyframe before.
    """

    description: str = ""
    image: str = ""
    locked: bool = False
    seed: int | None = None
    strength: float | None = None
    mask: str = ""


@dataclass(frozen=True)
class Segment:
    """What happens between two keyframes. prompt: for the video model.  camera: its movement in words.  seconds > 0."""

    prompt: str
    seconds: float
    camera: str = ""
    last: StoryKeyframe = StoryKeyframe()


@dataclass(frozen=True)
class Character:
    """Somebody or something that must look the same wherever it is named."""

    name: str
    look: str = ""


@dataclass(frozen=True)
class Storyboard:
    """A whole film in words. Frozen: what changes it gives a new one.

    text: the long prompt it was made of.  continuity: what stays the same in every segment.  film: settings of the film
    by name, unchecked; `schedule.storyboard_file` checks them.
    """

    segments: tuple[Segment, ...]
    opening: StoryKeyframe = StoryKeyframe()
    title: str = ""
    text: str = ""
    style: str = ""
    characters: tuple[Character, ...] = ()
    continuity: str = ""
    pictures: PictureSettings = field(default_factory=PictureSettings)
    film: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keyframes(self) -> tuple[StoryKeyframe, ...]:
        """All keyframes in film order: one more than segments."""
        return (self.opening, *(segment.last for segment in self.segments))

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return sum(segment.seconds for segment in self.segments)

    def starts(self) -> tuple[float, ...]:
        """The second of each keyframe."""
        return tuple(accumulate((segment.seconds for segment in self.segments), initial=0.0))

    def missing(self) -> tuple[int, ...]:
        """Numbers of the keyframes that have no picture yet."""
        return tuple(number for number, keyframe in enumerate(self.keyframes) if not keyframe.image)

    def with_keyframe(self, number: int, keyframe: StoryKeyframe) -> Storyboard:
        """The storyboard with another keyframe of this number."""
        if number == 0:
            return replace(self, opening=keyframe)
        segments = list(self.segments)
        segments[number - 1] = replace(segments[number - 1], last=keyframe)
        return replace(self, segments=tuple(segments))


def segment_prompt(story: Storyboard, number: int) -> str:
    """What the video model is told of a segment, from 0: its own words, then all that must stay the same."""
    segment = story.segments[number]
    return _joined(segment.prompt, segment.camera, *_shared(story, segment.prompt))


def keyframe_prompt(story: Storyboard, number: int) -> str:
    """What a picture's provider is told of a keyframe: its description, then all that must stay the same."""
    description = story.keyframes[number].description
    return _joined(description, *_shared(story, description))


def _shared(story: Storyboard, words: str) -> Iterator[str]:
    """The looks of the characters that are named in the words, the style, the continuity."""
    for character in story.characters:
        if character.look and re.search(rf"\b{re.escape(character.name)}\b", words, re.IGNORECASE):
            yield f"{character.name} is {character.look}"
    yield story.style
    yield story.continuity


def _joined(*parts: str) -> str:
    kept = (" ".join(part.split()).rstrip(".,;") for part in parts)
    return ", ".join(part for part in kept if part)
