"""Reads Deforum's settings files, old and new: what of them a Wan film uses, and what it says about the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.deforum_names import (
    CAMERA,
    FRAME_LOOP,
    MODES,
    SAME,
    SAMPLER_NUMBERS,
    SAMPLERS,
    SWITCHES,
    is_deforum_name,
)
from wan_engine.schedule.documents import listed, read_json
from wan_engine.schedule.lines import read_lines
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.settings import SETTINGS

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_OFF = frozenset({"", "none", "false", "no", "off", "0", "[]", "{}"})
_SHARED = frozenset({"steps", "sampler"})
"""Names that both have for other forms of the same: Deforum's schedules and Wan tab stand beside them."""


@dataclass
class Draft:
    """A user's values on their way to Settings.

    values: by the names of our settings.  names: how the user's file calls a setting, where it differs.
    storyboard: what they were made of, if the file is one.
    kind: of the project.  parts: what the file itself says that `values` say in other words.
    camera: Deforum's schedules that move the camera, by name, in the file's animation `mode`.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: ProblemList = field(default_factory=ProblemList)
    storyboard: Storyboard | None = None
    camera: dict[str, str] = field(default_factory=dict)
    mode: str = ""
    kind: str = "schedule"
    parts: dict[str, Any] = field(default_factory=dict)


def is_deforum(values: Mapping[str, Any]) -> bool:
    """Whether an object without `kind` holds names that only Deforum's files have."""
    return any(is_deforum_name(name) and name not in SETTINGS for name in values)


def text_by_key(value: Any, name: str, draft: Draft) -> Any:
    """An object of key and text that may also be written as JSON text or one entry a line."""
    if not isinstance(value, str):
        return value
    try:
        document = read_json(value) if value.lstrip().startswith(("{", "[")) else read_lines(value, name)
    except InputError as error:
        for problem in error.problems:
            draft.problems.add(replace(problem, field=name))
        return None
    draft.notes.extend(document.notes)
    return document.value


def draft_from_deforum(values: Mapping[str, Any]) -> Draft:
    """What a Deforum file asks for, in our settings. Our own names may stand in it too, and win.

    What Wan cannot do is named in the notes when it is switched on; problems are kept in the draft.
    """
    reader = _DeforumReader(values)
    reader.plain()
    reader.sampling()
    reader.prompts()
    reader.pictures()
    reader.output()
    if reader.wan_mode:
        reader.wan_tab()
    reader.tell_unused()
    return reader.draft


class _DeforumReader:
    """One file being read. `_given` holds its values; null means not given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._given = {name: value for name, value in values.items() if value is not None}
        self._mode = str(self._given.get("animation_mode", "2D")).strip()
        self.wan_mode = self._mode.lower() == "wan video"
        self.draft = Draft()

    def plain(self) -> None:
        """Values that mean the same in both, under the same or another name."""
        special = {"prompts", "steps", "sampler", "init_image"}
        for name, value in self._given.items():
            if name in SETTINGS and name not in special:
                self.draft.values[name] = value
        for theirs, ours in SAME.items():
            if theirs in self._given:
                self._take(ours, theirs, self._given[theirs])

    def _take(self, ours: str, theirs: str, value: Any) -> None:
        if ours != theirs and ours in self._given and ours not in _SHARED:
            self.draft.notes.append(f'"{theirs}" is not used: the file gives "{ours}" too')
            return
        self.draft.values[ours] = value
        self.draft.names[ours] = theirs

    def _on(self, name: str) -> bool:
        return str(self._given.get(name, "")).strip().lower() not in _OFF

    def _wanted(self, switch: str, name: str) -> bool:
        """Whether `name` is given and not switched off; files written by hand often have no switch."""
        return name in self._given and (switch not in self._given or self._on(switch))

    def sampling(self) -> None:
        """Steps and sampler, constant or scheduled."""
        if self._scheduled("steps"):
            self._take("steps", "steps_schedule", self._given["steps_schedule"])
        elif "steps" in self._given:
            self.draft.values["steps"] = self._given["steps"]
        if self._scheduled("sampler"):
            entries = str(self._given["sampler_schedule"]).split(",")
            self._take("sampler", "sampler_schedule", ",".join(self._sampler_entry(entry) for entry in entries))
        elif "sampler" in self._given:
            self.draft.values["sampler"] = self._sampler(self._given["sampler"])

    def _scheduled(self, name: str) -> bool:
        switch, schedule = f"enable_{name}_scheduling", f"{name}_schedule"
        if switch in self._given or name in self._given:
            return self._on(switch) and schedule in self._given
        return schedule in self._given

    def _sampler_entry(self, entry: str) -> str:
        key, colon, word = entry.partition(":")
        name = word.strip(" \t\r\n\"'()")
        return f"{key}: ({self._sampler(name)})" if colon and name else entry

    def _sampler(self, value: Any) -> str:
        name = SAMPLER_NUMBERS.get(value, str(value)) if isinstance(value, int) else str(value)
        default: str = SETTINGS["sampler"].default
        if ":" in name:
            return name  # a schedule of our own; it is read as such
        known = SAMPLERS.get(name.strip().lower())
        if known is None:
            self._note(f'sampler "{name[:80]}" is not one Wan has; {default} is used')
        return known or default

    def _note(self, note: str) -> None:
        if note not in self.draft.notes:
            self.draft.notes.append(note)

    def prompts(self) -> None:
        """The prompts by key, from where they stand in this file."""
        wan = self.wan_mode and self._on("wan_enhanced_prompts")
        name = "wan_enhanced_prompts" if wan else "prompts" if "prompts" in self._given else "animation_prompts"
        if name not in self._given:
            return
        self.draft.names["prompts"] = name
        if (prompts := text_by_key(self._given[name], name, self.draft)) is not None:
            self.draft.values["prompts"] = prompts
        if wan and self.draft.values.pop("positive_prompt", ""):
            self._note("the positive prompt is not added to wan_enhanced_prompts, which already contain it")
        self._tell_composed(prompts)

    def _tell_composed(self, prompts: Any) -> None:
        """A file that a run wrote holds the boxes under other names and in every prompt: not to be added again."""
        texts = [text for text in prompts.values() if isinstance(text, str)] if isinstance(prompts, dict) else []
        for name in ("positive_prompts", "negative_prompts"):
            box = str(self._given.get(name, "")).replace("--neg", "").strip()
            if box and any(box not in text for text in texts):
                self._note(f"{name} is not added to the prompts: a file written by a run holds it in them already")

    def pictures(self) -> None:
        """The start image and the guided images."""
        if self._wanted("use_init", "init_image") and self._on("init_image"):
            path = self._given["init_image"]
            if is_address(path):
                message, remedy = f'"{path[:200]}" is a web address', "Download the picture and give its path"
                self.draft.problems.add(Problem(message, remedy, field="init_image"))
            else:
                self.draft.values["init_image"] = path
        if self._wanted("use_looper", "init_images") and self._on("init_images"):
            self._guided()

    def _guided(self) -> None:
        images = text_by_key(self._given["init_images"], "init_images", self.draft)
        if isinstance(images, dict):
            remote = [key for key, path in images.items() if is_address(path)]
            if remote:
                self._note(f"init_images: not used, web addresses are not fetched: {listed(remote)}")
            images = {key: path for key, path in images.items() if key not in remote}
            if "0" in images and self.draft.values.pop("init_image", ""):
                self._note('init_image is not used: guided image "0" is the first frame')
        if images is not None:
            self._take("guided_images", "init_images", images)
        if self.draft.values.get("seed_behavior", "schedule") != "schedule":
            self._note("seed_behavior is schedule: guided images set it so in Deforum")
        self.draft.values["seed_behavior"] = "schedule"

    def output(self) -> None:
        """Soundtrack and what is written."""
        source = {"init video": "video_init_path"}.get(str(self._given.get("add_soundtrack", "")).lower())
        name = source or "soundtrack_path"
        if self._wanted("add_soundtrack", name) and self._on(name):
            if is_address(self._given[name]):
                self._note(f"{name} is a web address, which is not fetched: the film gets no sound")
            else:
                self._take("soundtrack", name, self._given[name])
        skip = "skip_video_creation" if "skip_video_creation" in self._given else "skip_video_for_run_all"
        if self._on(skip):
            self._take("codec", skip, "png")
            self._take("save_frames", skip, True)

    def wan_tab(self) -> None:
        """The keys of the fork's Wan tab; they count when the file's animation mode is Wan Video."""
        if self._on("wan_resolution"):
            size = re.match(r"\s*([0-9]{1,5})\s*[xX*×]\s*([0-9]{1,5})", str(self._given["wan_resolution"]))
            if size:
                self._take("width", "wan_resolution", int(size[1]))
                self._take("height", "wan_resolution", int(size[2]))
            else:
                message = f'"{str(self._given["wan_resolution"])[:80]}" is not a picture size'
                self.draft.problems.add(Problem(message, "Write it as 864x480", field="wan_resolution"))
        if "wan_inference_steps" in self._given:
            self._take("steps", "wan_inference_steps", self._given["wan_inference_steps"])
        if self._wanted("wan_guidance_override", "wan_guidance_scale"):
            self._take("guidance_scale", "wan_guidance_scale", self._given["wan_guidance_scale"])
        if str(self._given.get("wan_seed", -1)).strip() not in ("-1", "-1.0", ""):
            self.draft.values["seed"] = self._given["wan_seed"]
            self.draft.names["seed"] = "wan_seed"
        if self._on("wan_negative_prompt") and not self.draft.values.get("negative_prompt"):
            self._take("negative_prompt", "wan_negative_prompt", self._given["wan_negative_prompt"])

    def tell_unused(self) -> None:
        """Name what the file switches on and Wan does not do, and the names nobody knows."""
        unused = dict.fromkeys(words for name, words in SWITCHES.items() if self._on(name))
        if any(re.fullmatch(r"cn_[0-9]+_enabled", name) and self._on(name) for name in self._given):
            unused["ControlNet"] = None
        still = CAMERA.get(self._mode, {})
        moving = [name for name, at_rest in still.items() if not _is_constant(self._given.get(name, at_rest), at_rest)]
        self.draft.camera, self.draft.mode = {name: str(self._given[name]) for name in moving}, self._mode
        changing = [name for name in FRAME_LOOP if name in self._given and not _is_constant(self._given[name])]
        unused.update(dict.fromkeys([*changing, *filter(None, [MODES.get(self._mode.lower())])]))
        if unused:
            self._note("Wan does not do what this file also asks for: " + ", ".join(unused))
        unknown = [name for name in self._given if name not in SETTINGS and not is_deforum_name(name)]
        if unknown:
            self._note(f"not used, known neither to Deforum nor to this engine: {listed(unknown, 20)}")


def is_address(value: Any) -> bool:
    """Whether a path is a web address; `C://x` is none."""
    return isinstance(value, str) and _ADDRESS.match(value.strip()) is not None


def _is_constant(value: Any, number: float | None = None) -> bool:
    """Whether a numeric schedule is one number (this one, if given) throughout."""
    found = set()
    for entry in str(value).split(","):
        try:
            found.add(float(entry.rpartition(":")[2].strip(" \"'()")))
        except ValueError:
            return False
    return len(found) == 1 and (number is None or found == {number})
