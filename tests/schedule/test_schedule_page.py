"""The page on the schedule language: every worked example in its tables is what the code does."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.keys import parse_key
from wan_engine.schedule.operations import FUNCTIONS
from wan_engine.schedule.prompts import PromptSchedule
from wan_engine.schedule.seeds import prompt_seeds
from wan_engine.schedule.timeline import Timeline
from wan_engine.settings import Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "schedule.md").read_text(encoding="utf-8")


def rows(first_column: str) -> list[list[str]]:
    """The rows of the table whose first column has this name, with the code marks taken off."""
    (table,) = re.findall(rf"^\| {re.escape(first_column)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[_bare(cell) for cell in line.strip()[1:-1].split("|")] for line in table.strip().splitlines()]


def _bare(cell: str) -> str:
    text = cell.strip()
    for mark in ("``", "`"):
        if text.startswith(mark) and text.endswith(mark) and len(text) > 2:
            return text[len(mark) : -len(mark)]
    return text


@pytest.mark.parametrize("row", rows("key"), ids=lambda row: row[0])
def test_keys(row: list[str]) -> None:
    assert parse_key(row[0], Timeline(101, Fraction(16), 0), "prompts") == int(row[1])


@pytest.mark.parametrize("row", rows("schedule"), ids=lambda row: row[0])
def test_numbers(row: list[str]) -> None:
    text, frames, values = row
    film = Timeline(int(frames), Fraction(16), 0)
    found = NumberSchedule.parse(text, film, "guidance_scale").values()
    assert found == pytest.approx([float(value) for value in values.split()])


@pytest.mark.parametrize("row", rows("`positive_prompt`"), ids=lambda row: row[2])
def test_prompts(row: list[str]) -> None:
    before, behind, prompt, positive, negative = row
    schedule = PromptSchedule.parse({"0": prompt}, Timeline(10, Fraction(16), 0), before, behind)
    assert (schedule.at(5).positive, schedule.at(5).negative) == (positive, negative)


@pytest.mark.parametrize("row", rows("prompt"), ids=lambda row: row[0])
def test_math(row: list[str]) -> None:
    schedule = PromptSchedule.parse({"0": row[0]}, Timeline(101, Fraction(16), 0))
    assert schedule.at(int(row[1])).positive == row[2]


def test_seeds() -> None:
    checked = 0
    for behavior, seeds in rows("behaviour"):
        name, _, n = behavior.replace("`", "").partition(", seed_iter_n ")
        if re.fullmatch(r"[0-9 ]+", seeds):
            settings = Settings(seed=100, seed_behavior=name, seed_iter_n=int(n or 1))
            found = prompt_seeds(settings, Timeline(60, Fraction(16), 100), range(6))
            assert found == [int(seed) for seed in seeds.split()]
            checked += 1
    assert checked == 5


def test_every_function_is_named() -> None:
    (line,) = re.findall(r"^\| functions \| (.*) \|$", PAGE, re.MULTILINE)
    assert set(line.replace("`", "").split()) == set(FUNCTIONS)
