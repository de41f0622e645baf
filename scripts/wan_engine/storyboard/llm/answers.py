"""The form in which a language model must answer; instructor makes the tool or the JSON schema from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, create_model

_Form = TypeVar("_Form", bound=BaseModel)
_Words = Annotated[str, Field(min_length=1)]


class CharacterAnswer(BaseModel):
    """Somebody or something that must look the same wherever it is seen."""

    name: _Words
    look: str = Field(description="What it looks like, so that it can be drawn again: age, clothes, colours, shape.")


class SegmentAnswer(BaseModel):
    """One continuous shot between two still pictures."""

    first_keyframe: _Words = Field(
        description="The still picture it begins with; the same moment as the last_keyframe of the segment before."
    )
    prompt: _Words = Field(description="What moves and happens in this shot, for a video model that sees nothing else.")
    camera: str = Field("", description="The camera's movement in a few words, such as: slow pan left. May be empty.")
    seconds: float = Field(gt=0, le=60, description="How long it lasts.")
    last_keyframe: _Words = Field(description="The still picture it ends with, described so that it can be drawn.")


class StoryAnswer(BaseModel):
    """A film as a storyboard."""

    title: str = Field(description="A few words.")
    style: str = Field(description="Look of every picture: medium, light, colours, lens.")
    characters: list[CharacterAnswer] = Field(description="Everybody who is seen more than once; may be empty.")
    continuity: str = Field(description="What stays the same in every shot: place, time of day, weather.")
    segments: list[SegmentAnswer] = Field(min_length=1, max_length=200)


class PromptAnswer(BaseModel):
    """One prompt for a video model."""

    prompt: _Words


def story_form(segments: int) -> type[StoryAnswer]:
    """The form of an answer; with a number of segments, 0 for any, it must have exactly so many."""
    if not segments:
        return StoryAnswer
    exactly = Field(min_length=segments, max_length=segments)
    return create_model("StoryAnswer", __base__=StoryAnswer, segments=(list[SegmentAnswer], exactly))


def partial_answer(values: dict[str, Any]) -> StoryAnswer | None:
    """The answer that these values are so far, with its whole segments; None before the first is whole."""
    segments = list(_whole(values.get("segments"), SegmentAnswer))
    if not segments:
        return None
    words = {name: str(values.get(name) or "") for name in ("title", "style", "continuity")}
    characters = list(_whole(values.get("characters"), CharacterAnswer))
    return StoryAnswer(**words, characters=characters, segments=segments)


def _whole(values: Any, form: type[_Form]) -> Iterator[_Form]:
    """The entries of a list up to the first that is not whole yet."""
    for each in values if isinstance(values, list) else ():
        try:
            yield form.model_validate(each)
        except ValidationError:
            return
