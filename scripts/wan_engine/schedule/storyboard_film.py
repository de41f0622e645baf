"""A storyboard becomes a film: its keyframes with times are a keyframe project, its words the prompts between them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from wan_engine.schedule.deforum import Draft
from wan_engine.schedule.keyframes import draft_from_keyframes
from wan_engine.schedule.storyboard import Storyboard, segment_prompt

BATCH_NAME = "storyboard"
"""Folder of storyboards' films inside the output folder, unless the storyboard names another."""
OUT_OF_PLACE = ("prompts", "guided_images", "max_frames", "init_image", "init_video", "end_image", "loop")
"""Settings that a storyboard says in its own words."""
_NO_PICTURE = "?"


def draft_from_storyboard(story: Storyboard) -> Draft:
    """The film's settings, not yet checked. Keyframes without a picture are left out, and a note names them."""
    times = _times(story)
    pairs = [[keyframe.image or _NO_PICTURE, str(time)] for keyframe, time in zip(story.keyframes, times, strict=True)]
    prompts = [segment_prompt(story, number) for number in range(len(story.segments))]
    values = {"batch_name": BATCH_NAME, **story.film, "keyframes": pairs, "sub_prompts": prompts}
    draft = draft_from_keyframes(values)
    draft.storyboard, draft.kind, draft.parts = story, "storyboard", {}
    draft.names |= {"keyframes": "segments", "sub_prompts": "segments", "prompts": "segments"}
    _leave_out_missing(story, draft)
    return draft


def _times(story: Storyboard) -> list[Fraction]:
    """The exact second of each keyframe: durations add up as they are written."""
    times = [Fraction(0)]
    for segment in story.segments:
        times.append(times[-1] + Fraction(str(segment.seconds)))
    return times


def _leave_out_missing(story: Storyboard, draft: Draft) -> None:
    missing = story.missing()
    if not missing:
        return
    draft.notes.append(
        f"{_numbers(missing)} no picture yet and {'is' if len(missing) == 1 else 'are'} left out: "
        "wan-engine keyframes makes what is missing"
    )
    images = draft.values.get("guided_images", {})
    draft.values["guided_images"] = {key: path for key, path in images.items() if path != _NO_PICTURE}
    if draft.values.get("end_image") == _NO_PICTURE:
        draft.values["end_image"] = ""


def _numbers(numbers: Iterable[int]) -> str:
    words = [str(number) for number in numbers]
    if len(words) == 1:
        return f"Keyframe {words[0]} has"
    return f"Keyframes {', '.join(words[:-1])} and {words[-1]} have"
