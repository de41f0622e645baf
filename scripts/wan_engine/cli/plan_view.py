"""Shows a plan to people: a table and a timeline in a terminal, one line a clip elsewhere."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from wan_engine.cli.screen import Screen, one_line, size_words
from wan_engine.families import MODE_WORDS
from wan_engine.plan.model import Clip, Plan
from wan_engine.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from wan_engine.models.memory.outlook import Outlook

PROMPT_WIDTH = 60
"""Characters of a prompt that a table shows; plain lines show all of it."""

_MODE_STYLES = {"t2v": "cyan", "i2v": "green", "flf2v": "magenta", "vace": "blue"}


def show_plan(screen: Screen, plan: Plan, console: Console, memory: Outlook | None = None) -> None:
    """Write the film's figures, its clips, its timeline and its notes. memory: what its models will take."""
    for mode, label in plan.models.items():
        screen.line(console, f"Model for {MODE_WORDS.get(mode, mode)}: {one_line(label)}")
    screen.line(console, f"Resolution: {plan.width}x{plan.height}")
    screen.line(console, film_line(plan))
    if screen.is_rich(console):
        _show_table(plan, console)
        _show_timeline(plan, console)
    else:
        for clip in plan.clips:
            screen.line(console, clip_line(plan, clip))
    screen.line(console, needs_line(plan))
    if memory is not None:
        screen.line(console, f"Memory: {one_line(memory.words())}; memory_profile sets another")
    show_notes(screen, console, plan.notes)


def show_notes(screen: Screen, console: Console, notes: tuple[str, ...]) -> None:
    """Write what was changed or ignored, one line a note."""
    for note in notes:
        screen.line(console, f"Note: {one_line(note)}", style="yellow")


def film_line(plan: Plan) -> str:
    """The film's figures: `Film: 120 frames, 7.50 s at 16 fps, seed 5; 3 clips, rendered at 16 fps`."""
    clips = counted(len(plan.clips), "clip")
    return (
        f"Film: {counted(plan.frames, 'frame')}, {plan.seconds:.2f} s at {_rate(plan.fps)} fps, seed {plan.seed}; "
        f"{clips}, rendered at {_rate(plan.model_fps)} fps"
    )


def needs_line(plan: Plan) -> str:
    """What rendering needs: denoising steps, and disk for the clips."""
    return f"Needs: {counted(plan.total_steps, 'denoising step')}, {size_words(plan.disk_bytes)} of disk for the clips"


def clip_line(plan: Plan, clip: Clip) -> str:
    """One clip in words, with its whole prompt."""
    negative = f" --neg {one_line(clip.negative)}" if clip.negative else ""
    return (
        f"Clip {clip.index + 1} of {len(plan.clips)}: frames {clip.start} to {clip.end - 1} "
        f"({counted(clip.length, 'frame')}, {_seconds(plan, clip)} s), {clip.mode}, {start_words(clip)}, "
        f"{counted(clip.frames, 'model frame')}, seed {clip.seed}, {counted(clip.steps, 'step')}, "
        f"guidance {guidance_words(clip)}"
        f"{f', LoRA {lora_words(clip)}' if clip.loras else ''}: "
        f"{one_line(clip.prompt)}{negative}"
    )


def start_words(clip: Clip) -> str:
    """What a clip starts from and arrives at, in words."""
    if clip.continuity == "overlap":
        start = f"goes on from the last {clip.overlap} frames of the clip before"
    elif clip.continuity == "last_frame":
        start = "goes on from the clip before"
    elif clip.start_image:
        start = f"from {one_line(clip.start_image)}"
    elif clip.init_video:
        start = f"goes on from {one_line(clip.init_video)}"
    else:
        start = "from noise"
    if clip.pictures:
        start += f" through {', '.join(one_line(picture.image) for picture in clip.pictures)}"
    end = "the film's first frame" if clip.loops else one_line(clip.end_image)
    return f"{start} to {end}" if end else start


def guidance_words(clip: Clip) -> str:
    """The guidance of a clip: one number, or `3.5/4` for two experts."""
    first = f"{clip.guidance_scale:g}"
    return first if clip.guidance_scale_2 is None else f"{first}/{clip.guidance_scale_2:g}"


def lora_words(clip: Clip) -> str:
    """The LoRAs of a clip with their weights: `ink 0.8, boat 1 high`."""
    return ", ".join(
        f"{one_line(lora.name)} {lora.weight:g}{'' if lora.expert == 'both' else f' {lora.expert}'}"
        for lora in clip.loras
    )


def timeline_text(plan: Plan, width: int) -> list[tuple[str, str]]:
    """The film as one line of `width` characters: pieces of text and the mode each piece's clip is rendered in.

    `|` begins a chain, `>` a clip that goes on from the one before; a clip's number follows where there is room.
    """
    starts = [clip.start * width // plan.frames for clip in plan.clips] + [width]
    pieces: list[tuple[str, str]] = []
    mark = ">"
    for clip, begin, end in zip(plan.clips, starts, starts[1:], strict=False):
        # Several clips may share a column: a cut among them is what must be seen.
        mark = mark if clip.continuity != "cut" else "|"
        if end > begin:
            number = str(clip.index + 1)
            label = mark + number if len(number) < end - begin else mark
            pieces.append((label.ljust(end - begin, "="), clip.mode))
            mark = ">"
    return pieces


def _show_timeline(plan: Plan, console: Console) -> None:
    from rich.text import Text

    width = max(20, min(console.width, 120) - 16)
    line = Text("0 s ")
    for piece, mode in timeline_text(plan, width):
        line.append(piece, style=_MODE_STYLES.get(mode, ""))
    line.append(f" {plan.seconds:.2f} s")
    console.print(line, soft_wrap=True)


def _show_table(plan: Plan, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_edge=False, pad_edge=False)
    for heading in ("clip", "frames", "seconds", "asked", "seed", "steps", "guidance"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("mode", "start"):
        table.add_column(heading, overflow="fold")
    table.add_column("prompt", overflow="fold", ratio=1)
    for clip in plan.clips:
        numbers = [
            str(clip.index + 1),
            f"{clip.start}-{clip.end - 1}",
            _seconds(plan, clip),
            str(clip.frames),
            str(clip.seed),
            str(clip.steps),
            guidance_words(clip),
        ]
        mode = Text(clip.mode, style=_MODE_STYLES.get(clip.mode, ""))
        prompt = Text(one_line(clip.prompt, PROMPT_WIDTH))
        if clip.loras:
            prompt.append(f" ({lora_words(clip)})", style="dim")
        table.add_row(*numbers, mode, Text(start_words(clip)), prompt)
    console.print(table)


def _seconds(plan: Plan, clip: Clip) -> str:
    return f"{float(clip.length / plan.fps):.2f}"


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.4g}"
