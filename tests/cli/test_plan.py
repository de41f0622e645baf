"""`plan` and `prompts` as processes: documents, tables, flags over files, standard input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PROMPTS = {"0": "a [red]fox[/red] `1+1` --neg blur", "max_f/2": "a goose", "5s": "grün 雨 \x1b[31m"}
PROJECT = {"kind": "schedule", "version": 1, "prompts": PROMPTS, "max_frames": 121, "positive_prompt": "film,"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    file = tmp_path / "fox.json"
    file.write_text(json.dumps(PROJECT), encoding="utf-8")
    return file


def test_plan_as_json(engine: Any, project: Path) -> None:
    answer = engine("plan", str(project), "--seed", "7", "--fps", "24", "--json")
    plan = json.loads(answer.stdout)
    assert (answer.returncode, plan["fps"], plan["model_fps"], plan["frames"], plan["seed"]) == (0, 24, 16, 121, 7)
    assert (plan["width"], plan["height"]) == (64, 64)
    assert isinstance(plan["notes"], list)
    assert (plan["clips"][0]["start"], plan["clips"][-1]["end"]) == (0, 121)
    for clip in plan["clips"]:
        assert clip["mode"] in ("t2v", "i2v", "flf2v")
        assert clip["frames"] % 4 == 1
        assert {"start", "end", "prompt", "negative", "seed", "chain"} <= set(clip)
    assert plan["clips"][0]["prompt"] == "film, a [red]fox[/red] 2"


def test_a_given_seed_gives_the_same_plan(call: Any, project: Path) -> None:
    first, second = (call("plan", str(project), "--seed", "7", "--json").stdout for _ in range(2))
    assert first == second


def test_plan_for_people_is_literal(call: Any, project: Path) -> None:
    answer = call("plan", str(project), "--width", "100")
    assert answer.returncode == 0
    assert "film, a [red]fox[/red] 2 --neg blur" in answer.stdout
    assert r"grün 雨 \x1b[31m" in answer.stdout
    assert all(line.isprintable() for line in answer.stdout.splitlines())
    assert any(line.startswith("Note: ") and "96" in line for line in answer.stdout.splitlines())


def test_notes_of_the_file_belong_to_the_plan(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "twice.json"
    file.write_text('{"prompts": {"0": "a", "0": "b"}, "max_frames": 9}', encoding="utf-8")
    assert any("twice" in note for note in json.loads(call("plan", str(file), "--json").stdout)["notes"])
    assert "Note: " in call("plan", str(file)).stdout


def test_prompts_as_json(call: Any, project: Path) -> None:
    answer = call("prompts", str(project), "--negative-prompt", "text", "--json")
    document = json.loads(answer.stdout)
    assert (answer.returncode, document["frames"], document["fps"]) == (0, 121, 16.0)
    assert [(row["start"], row["end"]) for row in document["prompts"]] == [(0, 60), (60, 80), (80, 121)]
    assert [(row["start_seconds"], row["end_seconds"]) for row in document["prompts"]][1] == (3.75, 5.0)
    assert document["prompts"][0]["prompt"] == "film, a [red]fox[/red] 2"
    assert document["prompts"][0]["negative"].split() == ["blur", "text"]
    assert document["prompts"][2]["prompt"] == "film, grün 雨 \x1b[31m"


def test_prompts_for_people(call: Any, project: Path) -> None:
    assert call("prompts", str(project)).stdout.splitlines() == [
        "frames 0 to 59 (0.00 to 3.75 s): film, a [red]fox[/red] 2 --neg blur",
        "frames 60 to 79 (3.75 to 5.00 s): film, a goose",
        r"frames 80 to 120 (5.00 to 7.56 s): film, grün 雨 \x1b[31m",
    ]


@pytest.mark.parametrize("verb", ["plan", "prompts"])
def test_standard_input(engine: Any, verb: str) -> None:
    answer = engine(verb, "-", "--json", stdin="0: a fox\n10: a goose\n")
    assert answer.returncode == 0
    assert "a goose" in answer.stdout


@pytest.mark.parametrize("verb", ["plan", "prompts", "render"])
def test_problems_of_file_and_flags_come_together(call: Any, tmp_path: Path, verb: str) -> None:
    file = tmp_path / "bad.json"
    values = {"kind": "schedule", "version": 1, "prompts": {"0": "a", "x+": "b"}, "crf": 99, "max_framez": 3}
    file.write_text(json.dumps(values), encoding="utf-8")
    answer = call(verb, str(file), "--fps", "fast", "--seed", "-7", "--json")
    problems = json.loads(answer.stdout)["problems"]
    assert answer.returncode == 2
    assert {(each["file"], each["field"]) for each in problems} == {
        (str(file), "prompts"),
        (str(file), "crf"),
        (str(file), "max_framez"),
        ("command line", "fps"),
        ("command line", "seed"),
    }
    assert len(answer.stderr.splitlines()) == len(problems)


def test_a_schedule_in_a_flag_is_the_command_lines_problem(call: Any, project: Path) -> None:
    answer = call("plan", str(project), "--guidance-scale", "0:(foo)")
    assert answer.returncode == 2
    assert answer.stderr.startswith('command line, guidance_scale, key "0", column 4: ')


@pytest.mark.parametrize("verb", ["plan", "prompts"])
def test_a_schedule_that_a_flag_makes_wrong_is_the_files_problem(call: Any, tmp_path: Path, verb: str) -> None:
    file = tmp_path / "few.json"
    file.write_text('{"kind": "schedule", "prompts": {"0": "a `1/(max_f-4)`"}, "max_frames": 9}', encoding="utf-8")
    answer = call(verb, str(file), "--max-frames", "5")
    assert answer.returncode == 2
    assert answer.stderr.startswith(f'{file}, prompts, key "0", column ')


def test_hostile_input_ends_in_an_error(call: Any) -> None:
    for text in (
        "",
        "\x00",
        "{" * 5000,
        "[" * 100000,
        '{"prompts": {"0": "`9**9**9`"}}',
        "&a [*a]",
        "!!python/object:os.x",
    ):
        answer = call("plan", "-", "--json", stdin=text)
        assert answer.returncode == 2, text[:20]
        assert json.loads(answer.stdout)["error"] == "InputError"
