"""A plan is shown whole: figures, clips, timeline, notes; prompts literally."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction

import pytest
from rich.console import Console

from wan_engine.cli.plan_view import clip_line, film_line, needs_line, show_plan, timeline_text
from wan_engine.cli.screen import Screen
from wan_engine.plan.model import ClipLora, Plan


def shown(plan: Plan, terminal: bool) -> str:
    console = Console(
        file=io.StringIO(), width=140, force_terminal=terminal, color_system=None, _environ={"TERM": "xterm"}
    )
    show_plan(Screen(), plan, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_plain_plan_is_one_line_a_clip(plan: Plan) -> None:
    assert shown(plan, terminal=False).splitlines() == [
        "Model for text-to-video: Wan-Tiny",
        "Resolution: 64x48",
        "Film: 120 frames, 7.50 s at 16 fps, seed 5; 3 clips, rendered at 16 fps",
        "Clip 1 of 3: frames 0 to 39 (40 frames, 2.50 s), t2v, from noise, 41 model frames, seed 5, 4 steps, "
        r"guidance 5: a [red]fox[/red]\x1b[31m --neg blur",
        "Clip 2 of 3: frames 40 to 79 (40 frames, 2.50 s), i2v, goes on from the clip before, 41 model frames, seed 6, "
        "4 steps, guidance 5/3.5: prompt 1",
        "Clip 3 of 3: frames 80 to 119 (40 frames, 2.50 s), flf2v, from a.png to b.png, 41 model frames, seed 7, "
        "4 steps, guidance 5: prompt 2",
        "Needs: 12 denoising steps, 2.0 MB of disk for the clips",
        "Note: the width was rounded",
    ]


def test_one_of_a_thing_is_one(plan: Plan) -> None:
    clip = replace(plan.clips[0], start=0, end=1, arrives=1, steps=1)
    assert "(1 frame, 0.06 s), " in clip_line(plan, clip)
    assert ", 1 step, " in clip_line(plan, clip)
    assert film_line(replace(plan, frames=1, clips=(clip,))).startswith("Film: 1 frame, ")
    assert needs_line(replace(plan, clips=(clip,))).startswith("Needs: 1 denoising step, ")


def test_terminal_plan_has_table_timeline_and_notes(plan: Plan) -> None:
    text = shown(plan, terminal=True)
    assert r"a [red]fox[/red]\x1b[31m" in text
    for words in ("frames", "80-119", "flf2v", "5/3.5", "goes on from the clip before", "0 s |1==", "7.50 s"):
        assert words in text
    assert needs_line(plan) in text
    assert "Note: the width was rounded" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [20, 61, 120, 200])
def test_timeline_has_its_width_and_its_seams(plan: Plan, width: int) -> None:
    pieces = timeline_text(plan, width)
    assert sum(len(text) for text, _ in pieces) == width
    assert [(text[0], mode) for text, mode in pieces] == [("|", "t2v"), (">", "i2v"), ("|", "flf2v")]


def test_timeline_of_more_clips_than_columns(plan: Plan) -> None:
    clips = tuple(
        replace(plan.clips[0], index=index, start=index, end=index + 1, arrives=index + 1) for index in range(120)
    )
    text = "".join(piece for piece, _ in timeline_text(replace(plan, clips=clips), 30))
    assert text == "|" * 30
    going_on = tuple(replace(clip, continuity="last_frame" if clip.index else "cut") for clip in clips)
    text = "".join(piece for piece, _ in timeline_text(replace(plan, clips=going_on), 30))
    assert text == "|" + ">" * 29


def test_rates_that_are_no_whole_numbers(plan: Plan) -> None:
    film = replace(plan, fps=Fraction(30000, 1001), clips=plan.clips[:1])
    assert "at 29.97 fps" in film_line(film)
    assert "1 clip," in film_line(film)
    assert "1.33 s" in clip_line(film, film.clips[0])


def test_a_film_that_is_continued(plan: Plan) -> None:
    clip = replace(plan.clips[0], init_video="old.mp4")
    assert "goes on from old.mp4" in clip_line(plan, clip)


def test_loras_are_shown_with_their_weights(plan: Plan) -> None:
    loras = (ClipLora("ink", "/ink.safetensors", 0.8), ClipLora("boat", "/boat.safetensors", 1.0, "high"))
    with_loras = replace(plan, clips=(replace(plan.clips[0], loras=loras), *plan.clips[1:]))
    assert "guidance 5, LoRA ink 0.8, boat 1 high: a [red]" in shown(with_loras, terminal=False)
    table = shown(with_loras, terminal=True)
    assert all(words in table for words in ("(ink 0.8", "boat 1", "high)"))
    assert "LoRA" not in shown(plan, terminal=False)
