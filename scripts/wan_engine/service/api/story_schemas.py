"""The forms of answers about storyboards."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class StorySegmentOut(BaseModel):
    """A segment as the video model gets it. start, end: seconds of the film.  prompt: with all that stays the same."""

    number: int
    start: float
    end: float
    prompt: str


class StoryKeyframeOut(BaseModel):
    """A keyframe as its provider gets it. number: from 0.  seconds: of the film.  image: its path, "" without one."""

    number: int
    seconds: float
    prompt: str
    image: str
    locked: bool


class StoryOut(BaseModel):
    """A storyboard, checked.

    storyboard: its values, each field there.  project: the same as the text of a file.  missing: numbers of keyframes
    without a picture.
    """

    storyboard: dict[str, Any]
    project: str
    seconds: float
    segments: list[StorySegmentOut]
    keyframes: list[StoryKeyframeOut]
    missing: list[int]
    notes: list[str]


class PicturesEstimateOut(BaseModel):
    """What the pictures would cost. dollars: of all, null if not known."""

    count: int
    dollars: float | None
    words: str


class EstimateOut(BaseModel):
    """What planning would take: tokens sent and received, about; dollars: null if the prices are not configured.

    segments: how many, about.
    """

    tokens_in: int
    tokens_out: int
    dollars: float | None
    words: str
    segments: int
    pictures: PicturesEstimateOut


class ServiceOut(BaseModel):
    """A service that planning or pictures may use. ready: whether it is configured.  reason: why not."""

    name: str
    what: str
    model: str
    paid: bool
    ready: bool
    reason: str


class EnhanceOut(BaseModel):
    """A single prompt, enriched."""

    prompt: str
