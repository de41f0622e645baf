"""Reads keyframe projects: pictures with times, a prompt for all and one for each segment between two pictures.

    keyframes: [[first.png, 0.0], [second.png, 3.0], [third.png, 5.5]]
    prompt: oil painting of a harbour
    sub_prompts: [the sun rises, ships leave]
    ckpt_dir: models/Wan2.1-FLF2V-14B

becomes a schedule with guided images: each picture stands on its own film frame, and the last one is the film's last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from wan_engine.errors import Problem
from wan_engine.schedule.deforum import Draft
from wan_engine.settings import SETTINGS, parse_fps
from wan_engine.settings_check import as_switch, nearest_name
from wan_engine.words import counted

DEFAULT_FPS = "24"
"""Frames a second of a keyframe film whose project names none."""
SHORT, LONG = 32, 100
"""Film frames of a segment below which motion gets stiff, and above which it drifts; users are told."""

_SAME = {
    "ckpt_dir": "model",
    "sample_steps": "steps",
    "sample_shift": "flow_shift",
    "sample_guide_scale": "guidance_scale",
    "base_seed": "seed",
    "keep_intermediates": "keep_clips",
}
"""Names of keyframe projects and the settings that mean the same."""
_OWN = (
    *("keyframes", "prompt", "sub_prompts", "size", "num_gpus", "gpu_ids", "offload_model", "t5_cpu"),
    *("enable_smoothing", "smoothing_method"),
)
"""Their other names."""
OF_THE_VERB = ("output", "resume_from", "force_regenerate")
"""What they may say to `wan-engine flf`, and nothing else can follow."""
_SIZE = re.compile(r"\s*([0-9]{1,5})\s*[*xX]\s*([0-9]{1,5})\s*")
_NUMBER = re.compile(r"[0-9]{1,3}")
_SECONDS = re.compile(r"[-+]?[0-9.]{1,400}(/[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?")
"""What is read as seconds: Fraction alone would also take 1e999999999, and all memory for it."""
_FORM = "Write at least two pairs of picture and seconds: [[first.png, 0.0], [second.png, 3.0]]"
_LONGEST = 24 * 3600


@dataclass(frozen=True)
class Keyframe:
    """A picture and the second of the film that it is."""

    image: str
    seconds: Fraction


def is_keyframes(values: Mapping[str, Any]) -> bool:
    """Whether an object without `kind` is a keyframe project."""
    return "keyframes" in values


def draft_from_keyframes(values: Mapping[str, Any]) -> Draft:
    """What a keyframe project asks for, in our settings; settings by our own names may stand in it too."""
    draft = Draft(names={ours: theirs for theirs, ours in _SAME.items() if theirs in values}, kind="keyframes")
    _plain(values, draft)
    keyframes = list(_keyframes(values.get("keyframes"), draft))
    _size(values.get("size"), draft)
    if len(keyframes) < 2:
        if not draft.problems:
            draft.problems.add(Problem("there must be at least two keyframes", _FORM, field="keyframes"))
        return draft
    try:
        rate = parse_fps(str(draft.values.get("fps", DEFAULT_FPS)))
    except (ValueError, ZeroDivisionError):
        return draft  # the check of the settings tells what is wrong with it
    draft.values.setdefault("fps", DEFAULT_FPS)
    frames = _frames(keyframes, rate, draft)
    if not draft.problems:
        _schedule(keyframes, frames, values, draft)
    return draft


def _plain(values: Mapping[str, Any], draft: Draft) -> None:
    """Values that mean the same under another name, and settings by their own."""
    for name, value in values.items():
        if name in ("kind", "version") or value is None:
            continue
        ours = _SAME.get(name, name)
        if ours in SETTINGS:
            draft.values[ours] = value
        elif name in OF_THE_VERB:
            draft.notes.append(f"{name} is not used: it is for wan-engine flf")
        elif name not in _OWN:
            remedy = nearest_name(name[:80], (*_OWN, *OF_THE_VERB, *_SAME, *SETTINGS))
            draft.problems.add(Problem("it is no setting of a keyframe project", remedy, field=name[:80]))
    for name in ("prompts", "guided_images", "max_frames", "end_image", "init_image", "init_video"):
        if name in draft.values:
            remedy = "Leave it out: keyframes, prompt and sub_prompts say it"
            draft.problems.add(Problem("it does not belong into a keyframe project", remedy, field=name))
            del draft.values[name]
    _smoothing(values, draft)
    offload, on_cpu = _on(values, "offload_model", draft), _on(values, "t5_cpu", draft)
    profile = "minimal" if on_cpu else "balanced" if offload else ""
    if profile:
        draft.values.setdefault("memory_profile", profile)
    _gpus(values, draft)


def _smoothing(values: Mapping[str, Any], draft: Draft) -> None:
    """Keyframe projects soften their joins unless they say that they do not."""
    if not _on(values, "enable_smoothing", draft, default=True):
        draft.values["smoothing"] = "none"
    elif "smoothing" not in draft.values:
        draft.values["smoothing"] = values.get("smoothing_method") or "temporal_filter"
        draft.names["smoothing"] = "smoothing_method"


def _gpus(values: Mapping[str, Any], draft: Draft) -> None:
    """num_gpus and gpu_ids as devices; without ids the first GPUs are meant."""
    count = str(1 if values.get("num_gpus") is None else values["num_gpus"]).strip()
    ids = [str(each).strip() for each in _listed(values.get("gpu_ids"))]
    if not _NUMBER.fullmatch(count) or int(count) < 1:
        draft.problems.add(Problem(f"{count[:40]!r} is no number of GPUs", "Write 1, 2, ...", field="num_gpus"))
    elif not all(_NUMBER.fullmatch(each) for each in ids):
        message = f"{', '.join(ids)[:40]!r} are no numbers of GPUs"
        draft.problems.add(Problem(message, "Write them with commas between: 0,1", field="gpu_ids"))
    elif ids and int(count) > len(ids):
        message = f"it names {len(ids)} of the {count} GPUs that num_gpus asks for"
        draft.problems.add(Problem(message, "Name them all, or leave num_gpus out", field="gpu_ids"))
    else:
        named = ids or [str(number) for number in range(int(count))]
        used = named if values.get("num_gpus") is None else named[: int(count)]
        if len(used) > 1:
            draft.values.setdefault("devices", ", ".join(f"cuda:{number}" for number in used))
        elif used != ["0"]:
            draft.values.setdefault("device", f"cuda:{used[0]}")


def _on(values: Mapping[str, Any], name: str, draft: Draft, default: bool = False) -> bool:
    value = default if values.get(name) is None else values[name]
    switch = as_switch(value)
    if switch is None:
        problem = Problem(f"{str(value)[:40]!r} is neither true nor false", "Give true or false", field=name)
        draft.problems.add(problem)
    return bool(switch)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else str(value).split(",")


def _keyframes(value: Any, draft: Draft) -> Iterator[Keyframe]:
    """The keyframes that can be read; every other entry is a problem with its number."""
    if isinstance(value, str):
        value = pairs_from_words(value)
    if not isinstance(value, list):
        draft.problems.add(Problem("there are no keyframes", _FORM, field="keyframes"))
        return
    before = Fraction(-1)
    for number, entry in enumerate(value, 1):
        try:
            keyframe = _keyframe(entry)
        except ValueError as error:
            draft.problems.add(Problem(str(error), _FORM, field="keyframes", key=str(number)))
            continue
        if keyframe.seconds <= before:
            message = f"it comes at {float(keyframe.seconds):g} s, not after the one before"
            remedy = "Put the keyframes in order of time"
            draft.problems.add(Problem(message, remedy, field="keyframes", key=str(number)))
        before = keyframe.seconds
        yield keyframe


def pairs_from_words(words: str) -> list[list[str]]:
    """`a.png:0.0,b.png:3.0` of a command line as pairs. The last colon of each counts: a path may begin with `C:`."""
    entries = (entry.strip().rpartition(":") for entry in words.split(",") if entry.strip())
    return [[image, seconds] for image, _, seconds in entries]


def _keyframe(entry: Any) -> Keyframe:
    """One keyframe, from a pair or an object. Raises ValueError that says what is wrong."""
    if isinstance(entry, dict):
        unknown = next((str(name)[:40] for name in entry if name not in ("image", "time", "seconds")), "")
        if unknown:
            raise ValueError(f'"{unknown}" is no part of a keyframe, which has image and time')
        entry = [entry.get("image"), entry.get("time", entry.get("seconds"))]
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str) or not entry[0].strip():
        raise ValueError("it is no pair of picture and seconds")
    text = str(entry[1]).strip().removesuffix("s")
    wrong = ValueError(f"{text[:40]!r} is no number of seconds")
    if not _SECONDS.fullmatch(text):
        raise wrong
    try:
        seconds = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise wrong from error
    if not 0 <= seconds <= _LONGEST:
        raise ValueError(f"{text[:40]} s lies outside a film of 0 to {_LONGEST} s")
    return Keyframe(entry[0].strip(), seconds)


def _size(value: Any, draft: Draft) -> None:
    if value is None:
        return
    found = _SIZE.fullmatch(str(value))
    if found is None:
        problem = Problem(f"{str(value)[:40]!r} is no size", "Write width*height, such as 1280*720", field="size")
        draft.problems.add(problem)
        return
    draft.values["width"], draft.values["height"] = int(found[1]), int(found[2])


def _frames(keyframes: Sequence[Keyframe], rate: Fraction, draft: Draft) -> list[int]:
    """The film frame of each keyframe. The film begins with the first."""
    begin = keyframes[0].seconds
    if begin:
        draft.notes.append(f"The film begins with the first keyframe: {float(begin):g} s are taken from every time")
    frames = [math.floor((keyframe.seconds - begin) * rate + Fraction(1, 2)) for keyframe in keyframes]
    for number, (start, end) in enumerate(pairwise(frames), 1):
        if start == end:
            message = f"it falls on the same film frame, {end}, as the one before"
            remedy = "Put more time between them, or raise fps"
            draft.problems.add(Problem(message, remedy, field="keyframes", key=str(number + 1)))
        elif end - start < SHORT:
            length = counted(end - start, "frame")
            draft.notes.append(f"Segment {number} has {length}: under {SHORT} motion gets stiff")
        elif end - start > LONG:
            draft.notes.append(f"Segment {number} has {end - start} frames: above {LONG} it drifts, or is split")
    return frames


def _schedule(keyframes: Sequence[Keyframe], frames: Sequence[int], values: Mapping[str, Any], draft: Draft) -> None:
    """Prompts and pictures on their frames."""
    whole, parts = values.get("prompt"), values.get("sub_prompts")
    if isinstance(parts, str):
        parts = parts.split("|") if parts.strip() else []
    one_each = "Give one for each segment between two keyframes"
    if parts is not None and not (isinstance(parts, list) and all(isinstance(part, str | None) for part in parts)):
        remedy = f"{one_each}, each in quotes: ['...', '...']"
        draft.problems.add(Problem("it is no list of texts", remedy, field="sub_prompts"))
        return
    texts = [(part or "").strip() for part in parts or ()]
    segments = len(keyframes) - 1
    if texts and len(texts) != segments:
        message = f"there are {len(texts)} for {counted(segments, 'segment')}"
        draft.problems.add(Problem(message, one_each, field="sub_prompts"))
        return
    if not isinstance(whole, str | None) or not (whole or any(texts)):
        remedy = "Write what is seen: prompt, sub_prompts or both"
        draft.problems.add(Problem("there is no prompt", remedy, field="prompt"))
        return
    shared = (whole or "").strip()
    words = texts or [""] * segments
    pairs = [[keyframe.image, float(keyframe.seconds)] for keyframe in keyframes]
    draft.parts = {"keyframes": pairs, "prompt": shared, "sub_prompts": words}
    draft.values["prompts"] = {
        str(frame): ", ".join(filter(None, (shared, text))) for frame, text in zip(frames[:-1], words, strict=True)
    }
    if not any(words) and draft.values.get("inner_images", "never") != "never":
        draft.values["prompts"] = {"0": shared}  # one clip may pass through several keyframes
    pictures = zip(frames[:-1], keyframes[:-1], strict=True)
    draft.values["guided_images"] = {str(frame): keyframe.image for frame, keyframe in pictures}
    draft.values["end_image"] = keyframes[-1].image
    draft.values["max_frames"] = frames[-1] + 1
