"""Writes settings as a Deforum settings file: what Deforum has a word for in its own names, the rest under one key.

What Deforum's words do not give back exactly stands under `OWN_KEY`, together with what was written for it, so that
reading the file again gives equal settings, and a value that was changed in Deforum since then counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from wan_engine.schedule.deforum import Draft, draft_from_deforum, is_address
from wan_engine.schedule.film_schedule import FilmSchedule, read_schedule
from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.keys import parse_key
from wan_engine.settings import PROJECT_VERSION, Settings, settings_to_mapping
from wan_engine.settings_check import settings_from_mapping

OWN_KEY = "wan_engine"
"""Deforum does not know this name and leaves it alone."""

MOST_POINTS = 2000
"""Longest schedule that is written out as numbers; a longer one is left out, with a note."""

_SAMPLERS = {"unipc": "UniPC", "euler": "Euler", "distilled": "Euler"}
"""Our samplers, as the WebUIs call what is nearest."""

_ENTRY = re.compile(r"""\s*["'(]*(?P<key>[^:"']*?)["')]*\s*:(?P<value>[^:]+)""")
_SECONDS = re.compile(r"[0-9.]\s*s$")


@dataclass(frozen=True)
class DeforumFile:
    """A settings file. notes: what Deforum cannot be told, or only in other words."""

    text: str
    notes: tuple[str, ...] = ()


def deforum_file(settings: Settings) -> DeforumFile:
    """The text of a Deforum settings file that reads back to equal settings.

    Raises InputError if a schedule of the settings cannot be read.
    """
    writer = _Writer(settings)
    given = writer.values()
    draft = draft_from_deforum(given)
    read_back = settings_to_mapping(settings_from_mapping(draft.values))
    exact = {name: value for name, value in settings_to_mapping(settings).items() if value != read_back[name]}
    if exact:
        given[OWN_KEY] = {"version": PROJECT_VERSION, "settings": exact, "written": _written(exact, given, draft)}
    wordless = [name for name in exact if _their_name(name, draft) not in given]
    if wordless:
        writer.notes.append(f'Deforum has no word for: {", ".join(wordless)}; kept under "{OWN_KEY}" for this engine')
    return DeforumFile(json.dumps(given, indent=4, ensure_ascii=False) + "\n", tuple(writer.notes))


def use_exact(draft: Draft, given: Mapping[str, Any], exact: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """Put the exact values of a file's `OWN_KEY` over what Deforum's words give, but for what was changed since."""
    changed = []
    for name, value in exact.items():
        theirs = _their_name(name, draft)
        if theirs in given and given[theirs] != written.get(theirs):
            changed.append(theirs)
            continue
        draft.values[name] = value
        draft.names.pop(name, None)
    if changed:
        draft.notes.append(f'changed since the file was written, so "{OWN_KEY}" does not count: {", ".join(changed)}')


def _their_name(name: str, draft: Draft) -> str:
    return draft.names.get(name, name)


def _written(exact: Mapping[str, Any], given: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    names = (_their_name(name, draft) for name in exact)
    return {theirs: given[theirs] for theirs in names if theirs in given}


class _Writer:
    """Says one film in Deforum's names; `notes` collects what the words do not say exactly."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.notes: list[str] = []
        # As in a check: a seed that is still to be drawn and prompts that come later are no problem.
        self._schedule: FilmSchedule = read_schedule(
            replace(settings, seed=max(settings.seed, 0), prompts=settings.prompts or {"0": ""})
        )

    def values(self) -> dict[str, Any]:
        """All that Deforum knows, in the order of its own files."""
        return {**self._film(), **self._sampling(), **self._pictures(), **self._prompts(), **self._output()}

    def _film(self) -> dict[str, Any]:
        film = self._settings
        size = {name: pixels for name, pixels in (("W", film.width), ("H", film.height)) if pixels}
        rate: Fraction = film.film_fps
        if rate.denominator > 1 and Fraction(str(round(float(rate), 3))) != rate:
            self.notes.append(f"fps {film.fps} is {float(rate):.3f} in Deforum")
        fps = rate.numerator if rate.denominator == 1 else round(float(rate), 3)
        return {
            **size,
            "animation_mode": "2D",
            "max_frames": film.max_frames,
            "fps": fps,
            "batch_name": film.batch_name,
        }

    def _sampling(self) -> dict[str, Any]:
        film = self._settings
        values: dict[str, Any] = {
            "seed": film.seed,
            "seed_behavior": film.seed_behavior,
            "seed_iter_N": film.seed_iter_n,
        }
        seeds = NumberSchedule.parse(film.seed_schedule, self._schedule.timeline, "seed_schedule")
        values |= self._numbers("seed_schedule", film.seed_schedule, seeds)
        if self._schedule.guidance_scale:
            values |= self._numbers("cfg_scale_schedule", film.guidance_scale, self._schedule.guidance_scale)
        return {**values, **self._steps(), **self._sampler()}

    def _steps(self) -> dict[str, Any]:
        steps = self._schedule.steps
        if steps is None:
            return {}
        values = self._numbers("steps_schedule", self._settings.steps, steps)
        if film_steps := re.fullmatch(r"0: \(([0-9]+)\)", values.get("steps_schedule", "")):
            return {"steps": int(film_steps[1]), "enable_steps_scheduling": False}
        return {"steps": int(steps.at(0)), "enable_steps_scheduling": bool(values), **values}

    def _sampler(self) -> dict[str, Any]:
        words = [(span.start, self._schedule.sampler.at(span.start)) for span in self._schedule.prompts.spans]
        if any(word == "distilled" for _, word in words):
            self.notes.append("the sampler distilled is Euler in Deforum")
        first = _SAMPLERS[words[0][1]]
        if all(_SAMPLERS[word] == first for _, word in words):
            return {"sampler": first, "enable_sampler_scheduling": False}
        schedule = ", ".join(f'{frame}: ("{_SAMPLERS[word]}")' for frame, word in words)
        return {"sampler": first, "enable_sampler_scheduling": True, "sampler_schedule": schedule}

    def _numbers(self, name: str, text: str, schedule: NumberSchedule) -> dict[str, str]:
        """A schedule as it stands where Deforum reads it so, else as numbers by frame; nothing if those are many."""
        if _deforum_reads(text):
            return {name: text}
        frames = range(self._schedule.timeline.frames)
        points = _corners(schedule.at(frame) for frame in frames)
        if len(points) > MOST_POINTS:
            self.notes.append(f"{name} is left out: as numbers by frame it has {len(points)} entries")
            return {}
        if len(points) > 1:
            self.notes.append(f"{name} is written as numbers by frame: Deforum cannot read it as it stands")
        return {name: ", ".join(f"{frame}: ({value:.10g})" for frame, value in points)}

    def _pictures(self) -> dict[str, Any]:
        film = self._settings
        guided = {key: path for key, path in film.guided_images.items() if not is_address(path)}
        keyed = {self._picture_key(key): path for key, path in guided.items()}
        start = film.init_image if not is_address(film.init_image) and "0" not in keyed else ""
        values: dict[str, Any] = {"use_init": bool(start), **({"init_image": start} if start else {})}
        values["use_looper"] = bool(keyed)
        if keyed:
            values["init_images"] = json.dumps(keyed, indent=4, ensure_ascii=False)
            values["seed_behavior"] = "schedule"
            if film.seed_behavior != "schedule":
                self.notes.append("seed_behavior is schedule: guided images set it so in Deforum")
        return values

    def _picture_key(self, key: str) -> str:
        if _SECONDS.search(key.strip(" \"'()")):
            return str(parse_key(key, self._schedule.timeline, "guided_images"))
        return key

    def _prompts(self) -> dict[str, Any]:
        film, prompts = self._settings, dict(self._settings.prompts)
        if not all(key.isascii() and key.isdecimal() for key in prompts):
            prompts = {str(span.start): film.prompts[span.key] for span in self._schedule.prompts.spans}
            self.notes.append("the prompts' keys are written as frame numbers: Deforum reads no other keys everywhere")
        boxes = {"positive": film.positive_prompt, "negative": film.negative_prompt}
        named = {f"animation_prompts_{name}": text for name, text in boxes.items()}
        return {"prompts": prompts or {"0": ""}, **named}

    def _output(self) -> dict[str, Any]:
        film = self._settings
        values: dict[str, Any] = {"skip_video_creation": film.codec == "png", "make_gif": film.make_gif}
        if not film.soundtrack or is_address(film.soundtrack):
            return {**values, "add_soundtrack": "None"}
        return {**values, "add_soundtrack": "File", "soundtrack_path": film.soundtrack}


def _deforum_reads(text: str) -> bool:
    """Whether Deforum takes a schedule as it stands: it cuts at every comma and colon, and wants a key 0 first."""
    entries = [_ENTRY.fullmatch(piece) for piece in text.split(",")]
    if not all(entries):
        return False
    keys: Sequence[str] = [entry["key"].strip() for entry in entries if entry]
    whole = all(entry["value"].count("(") == entry["value"].count(")") for entry in entries if entry)
    return whole and keys[0] == "0" and not any(_SECONDS.search(key) or not key for key in keys)


def _corners(values: Iterator[float]) -> list[tuple[int, float]]:
    """The frames between which the values lie on straight lines; a last value that only holds is left out."""
    every = [round(value, 6) for value in values]
    points = [(0, every[0])]
    for frame in range(1, len(every)):
        before, here = every[frame - 1], every[frame]
        after = every[frame + 1] if frame + 1 < len(every) else None
        if after is None or abs((after - here) - (here - before)) > 1e-5:
            points.append((frame, here))
    while len(points) > 1 and points[-1][1] == points[-2][1]:
        points.pop()
    return points
