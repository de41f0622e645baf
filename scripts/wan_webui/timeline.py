"""Draws a plan as a timeline in HTML, and problems as a list; every text of the user is escaped.

Only elements with classes and percentages are made here: the looks stand in style.css.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from wan_engine.families import MODE_WORDS
from wan_engine.words import counted
from wan_webui.seam_marks import seams_lane, seams_words

Values = Mapping[str, Any]
"""A part of a plan as the engine's API answers it."""

HUES = 8
"""Colours that prompts take in turn."""

NARROWEST = 0.25
"""Narrowest block in percent of the film; narrower clips that touch are drawn as one."""

_MOST_TICKS = 10
_TICK_SECONDS = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18_000, 36_000)
_MOST_WIDTH_REM = 240


@dataclass(frozen=True)
class _Block:
    """A coloured stretch of a lane: film frames [start, end), its word, its tooltip and its classes."""

    start: int
    end: int
    text: str
    title: str
    classes: str


def timeline_html(plan: Values, notes: Sequence[str] = (), drawn_seed: bool = False) -> str:
    """The film to come as a picture: prompts over clips over a ruler, then what it needs and the notes.

    plan: as `plan_to_json` writes it.  notes: of reading the input, shown before the plan's own.
    drawn_seed: the plan's seeds were drawn for it; the film will draw others, so they are not shown.
    """
    lanes, label = _lanes(plan, drawn_seed)
    told = notes_html(list(dict.fromkeys([*notes, *plan["notes"]])))
    drawn = f"{_figures(plan, drawn_seed)}{lanes}{_needs(plan)}{told}"
    return f'<div class="wan-plan" role="figure" aria-label="Plan of the film: {label}">{drawn}</div>'


def made_html(plan: Values) -> str:
    """A film that was made: as its plan, with its seams as they were measured."""
    lanes, label = _lanes(plan, drawn_seed=False)
    figures = f"{lanes}{seams_words(plan)}"
    return f'<div class="wan-plan" role="figure" aria-label="The film: {label}">{figures}</div>'


def _lanes(plan: Values, drawn_seed: bool) -> tuple[str, str]:
    """Prompts over clips over seams over a ruler, and what they are in a few words."""
    frames = int(plan["frames"])
    prompts, clips = list(_prompt_blocks(plan)), list(_clip_blocks(plan, drawn_seed))
    width = min(_MOST_WIDTH_REM, max(6 * len(prompts), 2 * len(clips)))
    lanes = (
        _lane("wan-prompts", "Prompts", prompts, frames)
        + _lane("wan-clips", "Clips", clips, frames)
        + seams_lane(plan)
        + _ruler(float(plan["seconds"]), float(plan["fps"]))
    )
    track = f'<div class="wan-track" style="min-width:{width}rem">{lanes}</div>'
    label = f"{counted(len(prompts), 'prompt')}, {counted(len(clips), 'clip')}, {_seconds(plan)}"
    return f'<div class="wan-scroll" tabindex="0">{track}</div>', escape(label)


def _figures(plan: Values, drawn_seed: bool) -> str:
    rate, model_rate = f"{plan['fps']:.4g}", f"{plan['model_fps']:.4g}"
    words = [
        f"<strong>{_seconds(plan)}</strong>",
        f"{counted(plan['frames'], 'frame')} at {rate} fps",
        f"{plan['width']} × {plan['height']}",
        counted(len(plan["clips"]), "clip"),
        "random seed" if drawn_seed else f"seed {plan['seed']}",
    ]
    if model_rate != rate:
        words.insert(2, f"rendered at {model_rate} fps")
    models = ", ".join(dict.fromkeys(str(label) for label in plan.get("models", {}).values()))
    words += [escape(models)] if models else []
    return '<div class="wan-figures">' + "".join(f"<span>{word}</span>" for word in words) + "</div>"


def _prompt_blocks(plan: Values) -> Iterator[_Block]:
    number = -1
    for clip in plan["clips"]:
        if clip["part"] == 0:
            number += 1
            last = plan["clips"][clip["index"] + clip["parts"] - 1]
            negative = f"\nnot: {clip['negative']}" if clip["negative"] else ""
            title = f"{clip['key'] or clip['start']}: {clip['prompt']}{negative}"
            text = clip["prompt"] or "(no words)"
            yield _Block(clip["start"], last["end"], text, title, f"wan-hue-{number % HUES}")


def _clip_blocks(plan: Values, drawn_seed: bool) -> Iterator[_Block]:
    """The clips; such as are too narrow to see are joined with the ones they touch."""
    least = plan["frames"] * NARROWEST / 100
    waiting: list[Values] = []
    for clip in plan["clips"]:
        waiting.append(clip)
        if clip["end"] - waiting[0]["start"] >= least:
            yield _clip_block(plan, waiting, drawn_seed)
            waiting = []
    if waiting:
        yield _clip_block(plan, waiting, drawn_seed)


def _clip_block(plan: Values, clips: Sequence[Values], drawn_seed: bool) -> _Block:
    first, last = clips[0], clips[-1]
    seam = "continued" if all(clip["continuity"] != "cut" for clip in clips) else "cut"
    before = plan["clips"][first["index"] - 1]
    if seam == "cut" and first["start_image"] and first["start_image"] == before["end_image"]:
        seam = "keyframe"
    mode = escape(first["mode"])
    classes = f"wan-mode-{mode} wan-seam-{seam if first['start'] else 'begin'}"
    if len(clips) > 1:
        words = f"{len(clips)} clips, frames {first['start']} to {last['end'] - 1}"
        return _Block(first["start"], last["end"], "", words, classes)
    words = _clip_words(plan, first) + ("" if drawn_seed else f", seed {first['seed']}")
    return _Block(first["start"], last["end"], f"{mode} {first['frames']}", words, classes)


def _clip_words(plan: Values, clip: Values) -> str:
    guidance = f"{clip['guidance_scale']:g}"
    if clip["guidance_scale_2"] is not None:
        guidance += f"/{clip['guidance_scale_2']:g}"
    seconds = (clip["end"] - clip["start"]) / plan["fps"]
    mode, asked = MODE_WORDS.get(clip["mode"], clip["mode"]), counted(clip["frames"], "model frame")
    return (
        f"Clip {clip['index'] + 1} of {len(plan['clips'])}: {mode}, {_start_words(clip)}\n"
        f"film frames {clip['start']} to {clip['end'] - 1} ({seconds:.2f} s), {asked}\n"
        f"{counted(clip['steps'], 'step')}, guidance {guidance}, {clip['sampler']}"
    )


def _start_words(clip: Values) -> str:
    if clip["continuity"] == "overlap":
        start = f"goes on from the last {clip['overlap']} frames of the clip before"
    elif clip["continuity"] == "last_frame":
        start = "goes on from the clip before"
    elif clip["start_image"] or clip["init_video"]:
        start = f"from {clip['start_image'] or clip['init_video']}"
    else:
        start = "from noise"
    end = "the film's first frame" if clip.get("loops") else clip["end_image"]
    return f"{start} to {end}" if end else start


def _lane(name: str, title: str, blocks: Sequence[_Block], frames: int) -> str:
    drawn = "".join(
        f'<div role="listitem" class="wan-block {block.classes}" title="{escape(block.title)}"'
        f' style="left:{_percent(block.start, frames)};width:{_percent(block.end - block.start, frames)}">'
        f"<span>{escape(block.text)}</span></div>"
        for block in blocks
    )
    return f'<div class="wan-lane {name}" role="list" aria-label="{title}">{drawn}</div>'


def _ruler(seconds: float, fps: float) -> str:
    """Ticks at round seconds, with the film frame that is seen then."""
    step = next((step for step in _TICK_SECONDS if seconds / step <= _MOST_TICKS), seconds)
    ticks = (step * number for number in range(int(seconds / step) + 1))
    drawn = "".join(
        f'<div class="wan-tick" style="left:{tick / seconds:.3%}"><b>{tick:g} s</b><i>{round(tick * fps)}</i></div>'
        for tick in ticks
        # The last one would be written over the edge.
        if tick / seconds < 0.97
    )
    return f'<div class="wan-ruler" aria-hidden="true">{drawn}</div>'


def _needs(plan: Values) -> str:
    steps = sum(clip["steps"] for clip in plan["clips"])
    needs = (
        ("Steps", f"{steps}"),
        ("Disk for the clips", size_words(plan["disk_bytes"])),
        *_memory(plan.get("memory")),
    )
    modes = dict.fromkeys(clip["mode"] for clip in plan["clips"])
    legend = "".join(
        f'<span class="wan-key wan-mode-{escape(mode)}">{escape(mode)}: {escape(MODE_WORDS.get(mode, mode))}</span>'
        for mode in modes
    )
    drawn = "".join(f"<span>{name} <b>{value}</b></span>" for name, value in needs)
    return f'<div class="wan-needs">{drawn}<span class="wan-legend">{legend}</span></div>'


def _memory(expected: Values | None) -> Iterator[tuple[str, str]]:
    """The memory profile that would be taken, or what each takes where only loading will tell."""
    if not expected:
        return
    if not expected["profile"]:
        each = (f"{name} {size_words(need['device_bytes'])}" for name, need in expected["profiles"].items())
        yield "Memory of the GPU", escape(", ".join(each))
        return
    need = expected["profiles"][expected["profile"]]
    where = "main memory" if expected["device"] == "cpu" else expected["device"]
    words = f"{expected['profile']}, about {size_words(need['device_bytes'])} of {where}"
    yield "Memory profile", f'<span title="{escape(expected["reason"])}">{escape(words)}</span>'


def notes_html(notes: Sequence[str]) -> str:
    """What was changed or ignored, as a list; nothing for no notes."""
    if not notes:
        return ""
    return '<ul class="wan-notes">' + "".join(f"<li>{escape(str(note))}</li>" for note in notes) + "</ul>"


def problems_html(problems: Sequence[Values], heading: str = "") -> str:
    """What is wrong, one line a problem, with its place, its remedy and the data by which the page finds the place.

    problems: as `Problem.as_dict` writes them.
    """
    if not problems:
        return ""
    title = heading or counted(len(problems), "problem")
    items = "".join(f"<li>{_problem(problem)}</li>" for problem in problems)
    return f'<div class="wan-problems" role="alert"><h4>{escape(title)}</h4><ul>{items}</ul></div>'


def _problem(problem: Values) -> str:
    place = {name: problem.get(name) for name in ("field", "key", "line", "column")}
    given = {**place, "part": problem.get("part")}
    data = "".join(f' data-{name}="{escape(str(value))}"' for name, value in given.items() if value not in (None, ""))
    words = _place_words(place)
    button = f'<button type="button" class="wan-place" title="Goes there"{data}>{escape(words)}</button> '
    remedy = str(problem.get("remedy") or "")
    advice = f' <span class="wan-remedy">{escape(remedy)}</span>' if remedy else ""
    return f"{button if words else ''}{_message(str(problem.get('message', '')) + '.')}{advice}"


def _message(text: str) -> str:
    """A message in one line as it is; further lines stand below, those that begin with a space under the one before."""
    first, *lines = text.split("\n")
    below = (("wan-under" if line.startswith(" ") else "wan-line", escape(line.strip())) for line in lines)
    return escape(first) + "".join(f'<span class="{kind}">{line}</span>' for kind, line in below)


def _place_words(place: Values) -> str:
    parts = [str(place["field"] or "").replace("_", " ")]
    parts += [f'key "{place["key"]}"'] if place["key"] else []
    parts += [f"{name} {place[name]}" for name in ("line", "column") if place[name] is not None]
    return ", ".join(part for part in parts if part)


def hint_html(text: str) -> str:
    """A quiet line where the timeline will be."""
    return f'<div class="wan-hint">{escape(text)}</div>'


def size_words(size: float) -> str:
    """Bytes for people: `1.4 GB`; units of 1000."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB" if size < 1000 else f"{size / 1000:.3g} TB"


def _seconds(plan: Values) -> str:
    return f"{plan['seconds']:.2f} s"


def _percent(part: float, whole: float) -> str:
    return f"{part / whole:.3%}"
