"""The plan's page in the docs: every field is there, and its example is what the engine plans."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

from wan_engine.plan.model import plan_text

PAGE = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")


def _rows(heading: str) -> list[list[str]]:
    section = PAGE.split(heading, 1)[1]
    table = section[section.index("|---") :].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]


def _names(heading: str) -> set[str]:
    return {name for row in _rows(heading) for name in re.findall(r"`(\w+)`", row[0])}


def test_every_field_of_the_file_is_explained(planned) -> None:
    values = json.loads(plan_text(planned("tiny")))
    assert _names("## The file, field by field") == values.keys()
    assert _names("Each clip:") == values["clips"][0].keys()


def test_the_worked_example_is_what_is_planned(planned) -> None:
    plan = planned("t2v+i2v", {"0": "a", "60": "b", "110": "c"}, max_frames=180, fps="30")
    told = [
        [
            clip.start,
            clip.end,
            f"{clip.length * 16 / 30:.2f}",
            clip.intervals,
            clip.frames,
            clip.frames - clip.intervals - 1,
        ]
        for clip in plan.clips
    ]
    assert _rows("### Example") == [[str(cell) for cell in row] for row in told]


def test_the_picture_of_the_seam_is_right(planned) -> None:
    plan = planned("t2v+i2v", {"0": "a", "60": "b", "110": "c"}, max_frames=180, fps="30")
    numbers = {
        line.split(",")[1].split()[1]: re.findall(r"\d+\.\d+", line)
        for line in PAGE.splitlines()
        if line.startswith("model time, clip")
    }
    for clip, frames in (("0", range(56, 61)), ("1", range(60, 63))):
        times: list[Fraction] = [plan.clips[int(clip)].model_time(frame) for frame in frames]
        assert numbers[clip] == [f"{float(time):.2f}" for time in times]
