"""What holds for every plan; a plan that comes back from a file, perhaps changed by hand, is held to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from itertools import pairwise
from types import NoneType
from typing import TYPE_CHECKING

from wan_engine.families import MODES
from wan_engine.plan.continuity import WAYS, arrives_in, whole_latents
from wan_engine.plan.repairs import REPAIRS
from wan_engine.plan.timing import LATENT_STRIDE

if TYPE_CHECKING:
    from wan_engine.plan.model import Clip, ClipLora, ClipPicture, Plan

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "float | None": (int, float, NoneType),
    "str": (str,),
    "Mode": (str,),
    "dict[str, str]": (dict,),
    "dict[str, Any]": (dict,),
}
"""By the annotation of a plan's or a clip's field; the rates and tuples are made by the reader itself."""


def broken_law(plan: Plan) -> str:
    """The first law the plan breaks, in words; "" for a sound plan."""
    return next(_broken(plan), "")


def _broken(plan: Plan) -> Iterator[str]:
    yield from _wrong_types(plan, "")
    if min(plan.fps, plan.model_fps) <= 0 or min(plan.width, plan.height, plan.frames) <= 0:
        yield "a rate, size or length is not above 0"
    owned, chain, before = 0, -1, 0
    for number, clip in enumerate(plan.clips):
        yield from _wrong_types(clip, f"clip {number}: ")
        yield from (f"clip {number}: {law}" for law in _broken_clip(clip))
        if (clip.index, clip.start) != (number, owned):
            yield f"clip {number}: it does not follow the one before"
        if (clip.chain == chain) != (clip.continuity != "cut"):
            yield f"clip {number}: continuity {clip.continuity} does not fit chain {clip.chain}"
        if clip.overlap > before + 1:
            yield f"clip {number}: it repeats {clip.overlap} frames of the {before + 1} before it"
        if clip.loops and number + 1 < len(plan.clips):
            yield f"clip {number}: only the last clip can arrive at the film's first frame"
        owned, chain, before = clip.end, clip.chain, clip.last
    if owned != plan.frames:
        yield f"the clips own {owned} film frames of {plan.frames}"
    yield from _broken_repairs(plan)


def _broken_repairs(plan: Plan) -> Iterator[str]:
    if plan.seam_repair not in REPAIRS or plan.seam_retries < 0:
        yield f"seam_repair is {plan.seam_repair!r}, seam_retries {plan.seam_retries}"
    joins = plan.joins()
    for repair in plan.repairs:
        where, clip, window = f"repair at frame {repair.frame}: ", repair.clip, repair.window
        yield from _wrong_types(clip, where)
        yield from (where + law for law in _broken_clip(clip))
        if repair.frame not in joins or clip.mode != "vace" or plan.beside(repair.frame)[1].index != clip.index:
            yield f"{where}no seam of clip {clip.index} is mended there by mode {clip.mode}"
        if (window.before, window.frames) != (clip.overlap, clip.frames) or min(asdict(window).values()) < 1:
            yield f"{where}{window} does not fit {clip.frames} model frames with an overlap of {clip.overlap}"


def _wrong_types(values: Plan | Clip | ClipLora | ClipPicture, where: str) -> Iterator[str]:
    for entry in fields(values):
        value = getattr(values, entry.name)
        if not isinstance(value, _TYPES.get(str(entry.type), (object,))):
            yield f"{where}{entry.name} is {value!r}"


def _broken_clip(clip: Clip) -> Iterator[str]:
    if clip.mode not in MODES:
        yield f"mode is {clip.mode!r}"
    if not clip.start < clip.arrives <= clip.end <= clip.arrives + 1:
        yield f"frames {clip.start} to {clip.end} do not arrive at {clip.arrives}"
    if clip.frames % LATENT_STRIDE != 1 or not 1 <= clip.intervals <= clip.last < clip.frames:
        yield f"{clip.intervals} intervals and an overlap of {clip.overlap} do not fit {clip.frames} model frames"
    if clip.steps < 1 or not 0 <= clip.part < clip.parts:
        yield f"steps is {clip.steps}, part {clip.part} of {clip.parts}"
    for lora in clip.loras:
        yield from _wrong_types(lora, f'LoRA "{lora.name}": ')
        if lora.expert not in ("high", "low", "both"):
            yield f"expert is {lora.expert!r}"
    if clip.continuity not in WAYS:
        yield f"continuity is {clip.continuity!r}"
    several = clip.overlap > 1 and whole_latents(clip.overlap) == clip.overlap
    if several != (clip.continuity == "overlap") or (clip.overlap and not several):
        yield f"an overlap of {clip.overlap} frames is not that of continuity {clip.continuity}"
    if not _has_its_pictures(clip):
        yield f"its pictures are not those of {clip.mode}"
    yield from _broken_inside(clip)


def _broken_inside(clip: Clip) -> Iterator[str]:
    frames = [clip.start, *(picture.frame for picture in clip.pictures), clip.arrives]
    places = [0, *(picture.interval for picture in clip.pictures), clip.intervals]
    if clip.pictures and (clip.mode != "vace" or not all(a < b for a, b in (*pairwise(frames), *pairwise(places)))):
        yield f"its pictures inside do not lie between its ends, or its mode {clip.mode} cannot have them"
    for picture in clip.pictures:
        yield from _wrong_types(picture, f"picture {picture.image}: ")


def _has_its_pictures(clip: Clip) -> bool:
    """Whether it starts from one thing at most, arrives at one at most, and both as its mode can."""
    starts = bool(clip.start_image) + bool(clip.init_video) + (clip.continuity != "cut")
    ends = bool(clip.end_image) + clip.loops
    if clip.mode == "vace":
        return starts <= 1 and ends <= starts
    return starts == (clip.mode != "t2v") and ends == (arrives_in(clip.mode) and starts)
