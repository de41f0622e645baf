"""What the hidden buttons of the page Keyframes do.

Pictures and prompts come from the script, the rest from the form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from wan_engine.settings import parse_fps
from wan_webui.answers import FormError
from wan_webui.client import ClientError
from wan_webui.form_table import Tables, collect, differing, restore
from wan_webui.keyframe_form import KEYFRAMES
from wan_webui.planned_actions import PlannedActions

_NO_PROJECT = {
    "message": "it is no keyframe project",
    "remedy": "Open the page Film for schedules and prompts, or take in a file with keyframes",
}
_PICTURES = ("guided_images", "end_image")
"""Where the engine finds a keyframe's picture wrong."""

_THEIRS = {
    "model": "ckpt_dir",
    "steps": "sample_steps",
    "flow_shift": "sample_shift",
    "guidance_scale": "sample_guide_scale",
    "seed": "base_seed",
}
"""Settings by the names that keyframe projects have for them."""


class KeyframeActions(PlannedActions):
    """The handlers of the page. The payload's `project` holds `keyframes`, `prompt` and `sub_prompts`."""

    empty_hint = "Add two pictures or more: the plan of the film appears here."

    def _told(self, values: Sequence[Any]) -> dict[str, Any]:
        settings = collect(self._tables, values)
        own = {spec.name: settings.pop(spec.name) for spec in KEYFRAMES.fields}
        # The page remembers them: a reload gives back what stood in the form.
        return {"own": own, "shared": settings}

    def _is_empty(self, asked: Mapping[str, Any], _values: Sequence[Any]) -> bool:
        return len(_project(asked)["keyframes"]) < 2

    def _order(self, asked: Mapping[str, Any], values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        given = {"kind": "keyframes", **collect(self._tables, values), **_project(asked)}
        return {"project": json.dumps(given)}, []

    def _timeline(self, asked: Mapping[str, Any], values: Sequence[Any]) -> str:
        with self._places(asked, values):
            return super()._timeline(asked, values)

    def _send(self, asked: Mapping[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        with self._places(asked, values):
            return super()._send(asked, values)

    def _send_more(self, asked: Mapping[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        return {"text": config_text(_project(asked), collect(self._tables, values), self._tables), "notes": []}

    def _filled(self, asked: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        if "settings" in asked:
            return super()._filled(asked)
        read = self._engine.import_project(str(asked["project"]), str(asked.get("name", "")))
        if read["kind"] != "keyframes":
            raise FormError([_NO_PROJECT])
        told = {"notes": list(read["notes"]), "parts": read["parts"]}
        return restore(self._tables, read["settings"]), told

    @contextmanager
    def _places(self, asked: Mapping[str, Any], values: Sequence[Any]) -> Iterator[None]:
        """What is wrong with a picture is told of its keyframe, counted from 1, not of its film frame."""
        try:
            yield
        except ClientError as error:
            if not any(problem.get("field") in _PICTURES for problem in error.problems):
                raise
            numbers = _numbers(_project(asked)["keyframes"], str(collect(self._tables, values)["fps"]))
            raise FormError([_at_keyframe(problem, numbers) for problem in error.problems]) from error


def _project(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the script says of the film, in the words of a keyframe project."""
    return {"keyframes": [], "prompt": "", "sub_prompts": [], **asked.get("project", {})}


def _numbers(keyframes: Sequence[Sequence[Any]], fps: str) -> dict[str, int]:
    """The number of each keyframe by its film frame, as the engine counts frames; the last one is under "" too."""
    rate, times = parse_fps(fps), [Fraction(str(seconds)) for _, seconds in keyframes]
    frames = [math.floor((time - times[0]) * rate + Fraction(1, 2)) for time in times]
    return {"": len(frames), **{str(frame): number for number, frame in enumerate(frames, 1)}}


def _at_keyframe(problem: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    number = numbers.get(str(problem.get("key") or "")) if problem.get("field") in _PICTURES else None
    return {**problem, "field": "keyframes", "key": str(number), "column": None} if number else dict(problem)


def config_text(project: Mapping[str, Any], settings: Mapping[str, Any], tables: Tables) -> str:
    """A `config.yaml` for this film and other tools of its kind: their names where they have one, what differs alone.

    Each value is JSON, which YAML reads as it is.
    """
    rest = differing(settings, tables)
    lines = ["kind: keyframes", "keyframes:", *(f"  - {_json(pair)}" for pair in project["keyframes"])]
    named = {"prompt": project["prompt"], "sub_prompts": project["sub_prompts"]}
    if rest.get("width") and rest.get("height"):
        named["size"] = f"{rest.pop('width')}*{rest.pop('height')}"
    named["fps"] = _plain(settings["fps"])
    named["enable_smoothing"] = settings["smoothing"] != "none"
    named["smoothing_method"] = settings["smoothing"]
    named |= {
        _THEIRS.get(name, name): _plain(value) for name, value in rest.items() if name not in ("fps", "smoothing")
    }
    return "\n".join([*lines, *(f"{name}: {_json(value)}" for name, value in named.items()), ""])


def _plain(value: Any) -> Any:
    """A number that the form holds as a text, as a number."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
