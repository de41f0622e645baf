"""Reads and writes storyboards as project files of `kind: storyboard`; every problem is told with its place.

The form, with all that may stand in it, is told in docs/storyboard.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.paths import whole_path
from wan_engine.schedule.storyboard import (
    LEAST_SECONDS,
    MOST_SECONDS,
    Character,
    Segment,
    Storyboard,
    StoryKeyframe,
)
from wan_engine.schedule.storyboard_film import OUT_OF_PLACE
from wan_engine.schedule.yaml_documents import yaml_text
from wan_engine.settings import PROJECT_VERSION, SETTINGS
from wan_engine.settings_check import nearest_name, picture_settings_from_mapping
from wan_engine.settings_pictures import picture_settings_to_mapping
from wan_engine.settings_planning import MOST_SEGMENTS

KIND = "storyboard"
_NAMES = (
    *("kind", "version", "title", "text", "style", "characters", "continuity"),
    *("opening", "segments", "pictures", "film"),
)
_SEGMENT = ("prompt", "camera", "seconds", "last")
_KEYFRAME = ("description", "image", "locked", "seed", "strength", "mask")
_FORM = "Write at least one segment: segments: [{prompt: a boat leaves the harbour, seconds: 3}]"
_MOST_SEED = 2**32 - 1


def is_storyboard(values: Mapping[str, Any]) -> bool:
    """Whether an object without `kind` is a storyboard."""
    return "segments" in values


def storyboard_from_values(values: Mapping[str, Any]) -> Storyboard:
    """The storyboard in a project file's values; kind and version are not looked at.

    Raises InputError with every problem. The settings in `film` are checked by name alone, as a film's are later.
    """
    reader = _Reader()
    story = reader.story(values)
    reader.problems.raise_if_any()
    return story


def storyboard_to_values(story: Storyboard) -> dict[str, Any]:
    """The storyboard as JSON-able values that read back to an equal one, each field there."""
    return {
        "kind": KIND,
        "version": PROJECT_VERSION,
        "title": story.title,
        "text": story.text,
        "style": story.style,
        "characters": [vars(character) for character in story.characters],
        "continuity": story.continuity,
        "opening": dict(vars(story.opening)),
        "segments": [{**vars(segment), "last": dict(vars(segment.last))} for segment in story.segments],
        "pictures": picture_settings_to_mapping(story.pictures),
        "film": dict(story.film),
    }


def storyboard_to_text(story: Storyboard) -> str:
    """The storyboard as YAML for people: what is empty or as usual is left out. Reads back to an equal one."""
    values = storyboard_to_values(story)
    usual = picture_settings_to_mapping(type(story.pictures)())
    values["opening"] = _said(values["opening"])
    values["segments"] = [_said({**segment, "last": _said(segment["last"])}) for segment in values["segments"]]
    values["pictures"] = {name: value for name, value in values["pictures"].items() if value != usual[name]}
    return yaml_text({name: value for name, value in values.items() if value not in ("", [], {})})


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """The values without those that say nothing; 0 says something."""
    return {
        name: value
        for name, value in values.items()
        if value is not None and value is not False and value not in ("", {})
    }


def with_picture_paths(story: Storyboard, path: Callable[[str], str]) -> Storyboard:
    """The storyboard with every path of a picture or mask given through `path`; empty ones stay."""
    for number, keyframe in enumerate(story.keyframes):
        image, mask = (path(each) if each else "" for each in (keyframe.image, keyframe.mask))
        story = story.with_keyframe(number, replace(keyframe, image=image, mask=mask))
    return story


def in_folder(story: Storyboard, folder: Path) -> Storyboard:
    """The storyboard with whole paths: relative ones count from `folder`; web addresses stay and are refused later."""
    return with_picture_paths(story, lambda path: whole_path(folder, path))


def relative_to(story: Storyboard, folder: Path) -> Storyboard:
    """The storyboard with the paths below `folder` written from there, so that both can be moved together."""

    def shortened(path: str) -> str:
        there = Path(path)
        return there.relative_to(folder).as_posix() if there.is_relative_to(folder) else path

    return with_picture_paths(story, shortened)


class _Reader:
    """Reads one storyboard and collects what is wrong. `field` and `key` of a problem name the part and its number."""

    def __init__(self) -> None:
        self.problems = ProblemList()

    def story(self, values: Mapping[str, Any]) -> Storyboard:
        """The storyboard, with stand-ins for what cannot be read."""
        self._known(values, _NAMES, "", "")
        words = {name: self._text(values, name, name) for name in ("title", "text", "style", "continuity")}
        return Storyboard(
            segments=self._segments(values.get("segments")),
            opening=self._keyframe(values.get("opening"), "opening", ""),
            characters=self._characters(values.get("characters")),
            pictures=self._pictures(values.get("pictures")),
            film=self._film(values.get("film")),
            **words,
        )

    def _wrong(self, message: str, remedy: str, field: str, key: str = "") -> None:
        self.problems.add(Problem(message, remedy, field=field, key=key))

    def _known(self, values: Mapping[str, Any], names: tuple[str, ...], field: str, key: str) -> None:
        for name in values:
            if name not in names:
                place = f"{field}.{name[:80]}" if field else name[:80]
                self._wrong("it is nothing that a storyboard has", nearest_name(name[:80], names), place, key)

    def _object(self, value: Any, field: str, key: str = "") -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        if value is not None:
            self._wrong("it is no object of names and values", "Write one name and its value a line", field, key)
        return {}

    def _text(self, values: Mapping[str, Any], name: str, field: str, key: str = "") -> str:
        value = values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self._wrong("it is no text", "Put it in quotes", field, key)
            return ""
        if "\x00" in str(value):
            self._wrong("the text holds a NUL character", "Remove it", field, key)
            return ""
        return str(value)

    def _segments(self, value: Any) -> tuple[Segment, ...]:
        if not isinstance(value, list) or not value:
            self._wrong("there are no segments", _FORM, "segments")
            return (Segment("", 1.0),)
        if len(value) > MOST_SEGMENTS:
            self._wrong(f"there are {len(value)}", f"The most is {MOST_SEGMENTS}: make two films of it", "segments")
        return tuple(self._segment(each, str(number)) for number, each in enumerate(value[:MOST_SEGMENTS], 1))

    def _segment(self, value: Any, key: str) -> Segment:
        if isinstance(value, dict) and "first" in value:
            remedy = "Describe it as the last of the segment before, or as opening"
            self._wrong("a segment starts on the last keyframe of the one before", remedy, "segments.first", key)
            value = {name: each for name, each in value.items() if name != "first"}
        values = self._object(value, "segments", key)
        self._known(values, _SEGMENT, "segments", key)
        prompt = self._text(values, "prompt", "segments.prompt", key).strip()
        if not prompt:
            self._wrong("there is no prompt", "Say what happens in it", "segments.prompt", key)
        return Segment(
            prompt=prompt,
            seconds=self._seconds(values.get("seconds"), key),
            camera=self._text(values, "camera", "segments.camera", key),
            last=self._keyframe(values.get("last"), "segments.last", key),
        )

    def _seconds(self, value: Any, key: str) -> float:
        try:
            seconds = math.nan if isinstance(value, bool) else float(str(value).strip().removesuffix("s"))
        except ValueError:
            seconds = math.nan
        if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
            message = "there is no duration" if value is None else f"{str(value)[:40]!r} is no duration"
            remedy = f"Give {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds"
            self._wrong(message, remedy, "segments.seconds", key)
            return 1.0
        return seconds

    def _keyframe(self, value: Any, field: str, key: str) -> StoryKeyframe:
        """A keyframe; a text alone is its description."""
        if isinstance(value, str):
            value = {"description": value}
        values = self._object(value, field, key)
        self._known(values, _KEYFRAME, field, key)
        locked = values.get("locked", False)
        if not isinstance(locked, bool):
            self._wrong(f"{str(locked)[:40]!r} is neither true nor false", "Give true or false", f"{field}.locked", key)
        seed = self._number(values, "seed", _MOST_SEED, field, key)
        return StoryKeyframe(
            description=self._text(values, "description", f"{field}.description", key),
            image=self._text(values, "image", f"{field}.image", key).strip(),
            locked=locked is True,
            seed=None if seed is None else int(seed),
            strength=self._number(values, "strength", 1, field, key),
            mask=self._text(values, "mask", f"{field}.mask", key).strip(),
        )

    def _number(self, values: Mapping[str, Any], name: str, most: int, field: str, key: str) -> float | None:
        value = values.get(name)
        if value is None:
            return None
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
        if not fits or (name == "seed" and value != int(value)):
            kind = "whole number" if name == "seed" else "number"
            self._wrong(f"{str(value)[:40]!r} does not fit", f"Give a {kind} of 0 to {most}", f"{field}.{name}", key)
            return None
        return float(value)

    def _characters(self, value: Any) -> tuple[Character, ...]:
        """A list of name and look, or an object of them."""
        if isinstance(value, dict):
            value = [{"name": name, "look": look} for name, look in value.items()]
        if value is not None and not isinstance(value, list):
            self._wrong("it is no list", "Write each as {name: Mara, look: a woman in a yellow coat}", "characters")
        return tuple(
            self._character(each, str(number))
            for number, each in enumerate(value if isinstance(value, list) else [], 1)
        )

    def _character(self, value: Any, key: str) -> Character:
        values = self._object(value, "characters", key)
        self._known(values, ("name", "look"), "characters", key)
        name = self._text(values, "name", "characters.name", key).strip()
        if not name:
            self._wrong("there is no name", "Give the name by which segments call it", "characters.name", key)
        return Character(name, self._text(values, "look", "characters.look", key))

    def _pictures(self, value: Any) -> Any:
        try:
            return picture_settings_from_mapping(self._object(value, "pictures"))
        except InputError as error:
            for problem in error.problems:
                self.problems.add(replace(problem, field=f"pictures.{problem.field}"))
            return picture_settings_from_mapping({})

    def _film(self, value: Any) -> dict[str, Any]:
        values = dict(self._object(value, "film"))
        for name in list(values):
            if name in OUT_OF_PLACE:
                remedy = "Leave it out: segments and keyframes say it"
                self._wrong("it does not belong into a storyboard", remedy, f"film.{name}")
            elif name not in SETTINGS:
                self._wrong("it is not a setting", nearest_name(name[:80], tuple(SETTINGS)), f"film.{name[:80]}")
        return {name: value for name, value in values.items() if value is not None}
