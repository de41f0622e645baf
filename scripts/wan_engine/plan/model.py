"""The Plan: everything about a film that can be known before a GPU is asked. Pure data, JSON in and out.

Frames are counted from 0. `start`, `end` and `arrives` are film frames; `frames` and `intervals` are the model's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem
from wan_engine.families import Mode
from wan_engine.plan.laws import broken_law
from wan_engine.plan.repairs import Window
from wan_engine.plan.seam import Join, Seam, seam_from_json, seam_to_json

PLAN_VERSION = 4
"""Version of the plan's JSON. A newer one is refused; older ones, in which what was added since is missing, are read.
"""


@dataclass(frozen=True)
class ClipLora:
    """A LoRA of a clip.

    name: how the film's notes call it.  path: its file.  weight: factor of its change, not 0.
    expert: which transformer of Wan 2.2 A14B it changes: high, low or both; models with one are changed by all.
    """

    name: str
    path: str
    weight: float
    expert: str = "both"


@dataclass(frozen=True)
class ClipPicture:
    """A picture that a clip passes through. frame: the film frame it is.  interval: model intervals to it from `start`.

    image: its file.
    """

    frame: int
    interval: int
    image: str


@dataclass(frozen=True)
class Clip:
    """One call of the model and the film frames it owns.

    start, end: the film frames it owns, end exclusive.
    mode: t2v, i2v, flf2v or vace.  frames: asked of the model, 4k+1.  intervals: model frames of time it spans (m).
    arrives: the film frame that model frame `last` is: `end`, which the next clip owns, or `end - 1` when the film's
    own last frame is a given picture. Film frame f shows model time first + (f - start) * m / (arrives - start), and
    between pictures the clip passes through evenly from one to the next.
    flow_shift: sigma shift of its noise schedule; families recommend different ones.
    continuity: how it follows the clip before: cut, last_frame (starts from its model frame `last`), overlap.
    overlap: model frames of the clip before, up to and including its `last`, that it begins with: 4k+1, 0 for none.
    overlap_noise: share of noise in what the model is shown of them, in thousandths.
    pin_colour: share by which its end is pulled back to the colours of its chain's first clip of the same text.
    hold_colour: what its first frames, known before, say of its colours is taken back from all of it; with a picture to
    arrive at, ever more as that says.
    loops: it arrives at the film's first frame, which is shown after its last one.
    start_image: picture it starts from, "" for none; unless continuity is cut the clip before gives it.
    init_video: with "start_image" empty: film whose last frame it starts from.
    chain: clips of one chain need each other's last frames and are rendered in order.
    part, parts: which sub-clip of its prompt it is, from 0.  key: the prompt's key as the user wrote it.
    loras: with the weights at its first film frame.  pictures: those it passes through, in order.
    """

    index: int
    start: int
    end: int
    mode: Mode
    frames: int
    intervals: int
    arrives: int
    prompt: str
    negative: str
    seed: int
    steps: int
    guidance_scale: float
    guidance_scale_2: float | None
    flow_shift: float
    sampler: str
    continuity: str
    chain: int
    start_image: str = ""
    init_video: str = ""
    end_image: str = ""
    part: int = 0
    parts: int = 1
    key: str = ""
    loras: tuple[ClipLora, ...] = ()
    overlap: int = 0
    overlap_noise: int = 0
    hold_colour: bool = False
    loops: bool = False
    pin_colour: float = 0.0
    pictures: tuple[ClipPicture, ...] = ()

    @property
    def first(self) -> int:
        """The model frame that is film frame `start`: the last one it repeats of the clip before."""
        return max(0, self.overlap - 1)

    @property
    def last(self) -> int:
        """The model frame that is film frame `arrives`."""
        return self.first + self.intervals

    @property
    def length(self) -> int:
        """Film frames it owns."""
        return self.end - self.start

    def model_time(self, frame: int) -> Fraction:
        """Where film frame `frame` lies in model frames, `first` to `last`, exactly."""
        if self.arrives == self.start:
            return Fraction(self.first)
        places = [(self.start, 0), *((each.frame, each.interval) for each in self.pictures)]
        begin, passed = next(place for place in reversed(places) if place[0] <= max(frame, self.start))
        end, until = next((place for place in places if place[0] > begin), (self.arrives, self.intervals))
        return self.first + passed + Fraction((frame - begin) * (until - passed), end - begin)


@dataclass(frozen=True)
class Repair:
    """The mending of one seam by VACE.

    frame: the film frame of the join.  window: which model frames are given and which are made anew.
    clip: what the model is asked for. Its index is that of the clip behind the seam, 0 where a film loops; `start` and
    `end` are the film frames it changes. It owns none.
    """

    frame: int
    window: Window
    clip: Clip


@dataclass(frozen=True)
class Plan:
    """A film, decided. Owned frames of the clips partition 0 .. frames-1.

    fps, model_fps: exact rates.  models: label of the model by mode.  notes: what was changed or ignored, for the user.
    disk_bytes: room the lossless clips need at most.
    resolved: values fixed when rendering began (device, dtype, threads, model hash), reused on resume.
    seams: what the joins of the clips look like, measured when the film is made.
    seam_retries: clips that may be rendered again with another seed because their seam is bad.
    seam_repair: how seams that can be seen are mended: none, cross_fade or vace.
    repairs: what VACE is asked for to mend them.
    """

    fps: Fraction
    model_fps: Fraction
    frames: int
    width: int
    height: int
    resample: str
    image_fit: str
    clips: tuple[Clip, ...]
    notes: tuple[str, ...] = ()
    models: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    disk_bytes: int = 0
    resolved: dict[str, Any] = field(default_factory=dict)
    seams: tuple[Seam, ...] = ()
    seam_retries: int = 0
    seam_repair: str = "none"
    repairs: tuple[Repair, ...] = ()

    @property
    def calls(self) -> tuple[Clip, ...]:
        """Every clip that the models may be asked for: the film's own, and those that mend its seams."""
        return (*self.clips, *(repair.clip for repair in self.repairs))

    @property
    def seconds(self) -> float:
        """Length of the film in seconds."""
        return float(self.frames / self.fps)

    @property
    def total_steps(self) -> int:
        """Denoising steps of the whole film."""
        return sum(clip.steps for clip in self.clips)

    def chains(self) -> tuple[tuple[Clip, ...], ...]:
        """The clips by chain, in film order. The last chain of a film that loops follows the first one, whose first
        frame it needs."""
        chains: dict[int, list[Clip]] = {}
        closing = self.clips[-1].chain if self.clips[-1].loops else 0
        for clip in self.clips:
            chains.setdefault(clip.chain if clip.chain != closing else 0, []).append(clip)
        return tuple(tuple(clips) for _, clips in sorted(chains.items()))

    def joins(self) -> dict[int, Join]:
        """How the clips join, by the film frame at which the later one begins; a film that loops joins at its end."""
        joins = {}
        since = 0
        for before, clip in pairwise(self.clips):
            # Both clips meet in one given picture, which neither hands to the other.
            meets = clip.continuity == "cut" and before.end_image and before.end_image == clip.start_image
            kind = "keyframe" if meets else clip.continuity
            since = clip.start if kind == "cut" else since
            joins[clip.start] = Join(kind, new_prompt=clip.part == 0, since=since)
        if self.clips[-1].loops:
            joins[self.frames] = Join("loop", since=None)
        return joins

    def beside(self, frame: int) -> tuple[Clip, Clip]:
        """The clips before and behind the join at this film frame. KeyError where none is."""
        if frame == self.frames and self.clips[-1].loops:
            return self.clips[-1], self.clips[0]
        behind = {clip.start: clip for clip in self.clips[1:]}[frame]
        return self.clips[behind.index - 1], behind

    def prompt_spans(self) -> Iterator[tuple[int, int, Clip]]:
        """Start, end (exclusive) and first clip of each prompt, in film order."""
        for clip in self.clips:
            if clip.part == 0:
                end = next((later.end for later in self.clips[clip.index + clip.parts - 1 :]), clip.end)
                yield clip.start, end, clip


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-able values. Rates are numbers for readers and exact ratios for `plan_from_json`."""
    values = asdict(plan)
    values["clips"], values["repairs"] = list(values["clips"]), list(values["repairs"])
    values["notes"] = list(plan.notes)
    values["seams"] = [seam_to_json(seam) for seam in plan.seams]
    for name in ("fps", "model_fps"):
        rate: Fraction = getattr(plan, name)
        values[name] = int(rate) if rate.denominator == 1 else float(rate)
        values[f"{name}_ratio"] = f"{rate.numerator}/{rate.denominator}"
    return {"version": PLAN_VERSION, "seconds": plan.seconds, **values}


def plan_from_json(values: dict[str, Any], file: str = "") -> Plan:
    """The plan that `plan_to_json` wrote. Raises InputError for another version or damaged values."""
    if values.get("version") not in range(1, PLAN_VERSION + 1):
        message = f"plan version {values.get('version')!r} cannot be read; this engine reads 1 to {PLAN_VERSION}"
        raise InputError(Problem(message, "Plan the film again", field="version", file=file))
    try:
        later = {name: values[name] for name in ("seam_retries", "seam_repair") if name in values}
        known = {entry.name: values[entry.name] for entry in fields(Plan) if entry.name not in _LATER} | later
        known["fps"], known["model_fps"] = Fraction(values["fps_ratio"]), Fraction(values["model_fps_ratio"])
        known["clips"] = tuple(_clip(clip) for clip in values["clips"])
        known["repairs"] = tuple(_repair(repair) for repair in values.get("repairs", ()))
        known["notes"] = tuple(values["notes"])
        known["seams"] = tuple(seam_from_json(seam) for seam in values.get("seams", ()))
        plan = Plan(**known)
        broken = broken_law(plan)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        problem = Problem(f"the plan is damaged: {error!r}", "Plan the film again", file=file)
        raise InputError(problem) from error
    if broken:
        raise InputError(Problem(f"the plan is damaged: {broken}", "Plan the film again", file=file))
    return plan


_LATER = ("seams", "seam_retries", "seam_repair", "repairs")
"""Fields that plans of older versions have not."""


def _clip(values: dict[str, Any]) -> Clip:
    loras = tuple(ClipLora(**lora) for lora in values.get("loras", ()))
    pictures = tuple(ClipPicture(**picture) for picture in values.get("pictures", ()))
    return Clip(**{**values, "loras": loras, "pictures": pictures})


def _repair(values: dict[str, Any]) -> Repair:
    return Repair(values["frame"], Window(**values["window"]), _clip(values["clip"]))


def plan_text(plan: Plan) -> str:
    """The plan as the text of a JSON file."""
    return json.dumps(plan_to_json(plan), indent=2, ensure_ascii=False) + "\n"


def read_plan(path: Path) -> Plan:
    """The plan in a file that `plan_text` filled. Raises InputError."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problem = Problem(f"the plan cannot be read: {error}", "Give the folder of a film", file=str(path))
        raise InputError(problem) from error
    if not isinstance(values, dict):
        raise InputError(Problem("the plan is damaged: it is no object", "Plan the film again", file=str(path)))
    return plan_from_json(values, str(path))
