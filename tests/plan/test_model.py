"""The plan as JSON: what readers find in it, and damaged or foreign plans."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from wan_engine.errors import InputError
from wan_engine.plan.model import Plan, plan_from_json, plan_text, plan_to_json, read_plan

PROMPTS = {"0": "Wolken über dem Meer", "30": "b --neg c"}


@pytest.fixture
def plan(planned) -> Plan:
    return planned("tiny", PROMPTS, fps="24000/1001", max_frames=75)


def test_readers_find_numbers_and_exact_rates(plan: Plan) -> None:
    values = json.loads(plan_text(plan))
    assert (values["version"], values["frames"], values["model_fps"]) == (4, 75, 16)
    assert values["fps"] == pytest.approx(23.976, abs=1e-3)
    assert (values["fps_ratio"], values["model_fps_ratio"]) == ("24000/1001", "16/1")
    assert values["seconds"] == pytest.approx(75 * 1001 / 24000)
    first = values["clips"][0]
    assert {"start", "end", "mode", "frames", "prompt", "negative", "seed", "chain"} <= first.keys()
    assert "Wolken über" in plan_text(plan)


def test_a_plan_on_disk_reads_back(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(plan_text(plan), encoding="utf-8")
    assert read_plan(path) == plan


def test_spans_chains_and_totals(plan: Plan) -> None:
    assert [(start, end, clip.key) for start, end, clip in plan.prompt_spans()] == [(0, 30, "0"), (30, 75, "30")]
    assert [len(chain) for chain in plan.chains()] == [len(plan.clips)]
    assert plan.total_steps == 8 * len(plan.clips)
    assert plan.clips[0].model_time(15) == Fraction(15 * 20, 30)


def test_plans_from_before_there_were_overlaps_are_read(plan: Plan) -> None:
    values = json.loads(plan_text(plan))
    for clip in values["clips"]:
        for name in ("overlap", "overlap_noise", "loops"):
            del clip[name]
    assert plan_from_json({**values, "version": 2}) == plan


def test_another_version_is_refused(plan: Plan) -> None:
    with pytest.raises(InputError, match="plan version 7 cannot be read; this engine reads 1 to 4"):
        plan_from_json({**plan_to_json(plan), "version": 7})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clips": None}, "TypeError"),
        ({"fps_ratio": "1/0"}, "ZeroDivisionError"),
        ({"fps_ratio": "16 000"}, "ValueError"),
        ({"width": "wide"}, "width is 'wide'"),
        ({"height": 0}, "a rate, size or length is not above 0"),
        ({"frames": 76}, "the clips own 75 film frames of 76"),
        ({"clips": []}, "the clips own 0 film frames of 75"),
    ],
)
def test_damaged_plans(plan: Plan, change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_from_json({**plan_to_json(plan), **change}, file="plan.json")
    problem = caught.value.problems[0]
    assert words in problem.message
    assert (problem.file, problem.remedy) == ("plan.json", "Plan the film again")


@pytest.mark.parametrize(
    ("number", "change", "words"),
    [
        (0, {"mode": "v2v"}, "clip 0: mode is 'v2v'"),
        (1, {"steps": "many"}, "clip 1: steps is 'many'"),
        (0, {"steps": 0}, "clip 0: steps is 0, part 0 of 1"),
        (0, {"frames": 20}, "clip 0: 20 intervals and an overlap of 0 do not fit 20 model frames"),
        (0, {"intervals": 21}, "clip 0: 21 intervals and an overlap of 0 do not fit 21 model frames"),
        (0, {"end": 29}, "clip 0: frames 0 to 29 do not arrive at 30"),
        (0, {"start": -1}, "clip 0: it does not follow the one before"),
        (0, {"continuity": "last_frame"}, "clip 0: its pictures are not those of t2v"),
        (1, {"continuity": "svi"}, "clip 1: continuity is 'svi'"),
        (1, {"end_image": "x.png"}, "clip 1: its pictures are not those of i2v"),
        (1, {"chain": 1}, "clip 1: continuity last_frame does not fit chain 1"),
        (1, {"extra": 1}, "extra"),
        (1, {"overlap": 5, "frames": 37}, "an overlap of 5 frames is not that of continuity last_frame"),
        (1, {"continuity": "overlap"}, "clip 1: an overlap of 0 frames is not that of continuity overlap"),
        (1, {"continuity": "overlap", "overlap": 7, "frames": 53}, "an overlap of 7 frames is not that of"),
        (1, {"continuity": "overlap", "overlap": 25, "frames": 61}, "it repeats 25 frames of the 21 before it"),
        (1, {"continuity": "overlap", "overlap": 17}, "30 intervals and an overlap of 17 do not fit 33 model frames"),
        (0, {"loops": True, "mode": "vace", "start_image": "x"}, "only the last clip can arrive at the film's first"),
        (1, {"loops": True}, "clip 1: its pictures are not those of i2v"),
    ],
)
def test_damaged_clips(plan: Plan, number: int, change: dict[str, Any], words: str) -> None:
    values = plan_to_json(plan)
    values["clips"][number] |= change
    with pytest.raises(InputError) as caught:
        plan_from_json(values)
    assert words in caught.value.problems[0].message


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"version": 1}', "\x00"])
def test_files_that_hold_no_plan(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_plan(path)


def test_a_folder_without_a_plan(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the plan cannot be read"):
        read_plan(tmp_path / "plan.json")
