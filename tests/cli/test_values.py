"""`values` prints a JSON list of numbers and nothing else, quickly."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest

from yardstick import slowness


def test_the_numbers_are_those_of_the_schedule(engine: Any) -> None:
    answer = engine("values", "0:(1.0), 30:(sin(t/10))", "--frames", "40", "--seed", "5")
    numbers = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr, len(numbers)) == (0, "", 40)
    assert numbers[0] == 1.0
    assert numbers[15] == pytest.approx((1 + math.sin(3)) / 2)
    assert numbers[30:] == pytest.approx([math.sin(frame / 10) for frame in range(30, 40)])


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["0:(s)", "--frames", "2", "--seed", "7"], [7, 7]),
        (["0:(max_f)", "--max-frames", "3", "--json"], [2, 2, 2]),
        (["-1:(4), 0:(2)", "--frames", "2"], [2, 2]),
        (["0:(0), 1s:(4)", "--frames", "5", "--fps", "4"], [0, 1, 2, 3, 4]),
        (["7", "--frames", "1"], [7]),
    ],
)
def test_variables_and_flags(call: Any, arguments: list[str], numbers: list[float]) -> None:
    answer = call("values", *arguments)
    assert json.loads(answer.stdout) == numbers


def test_notes_go_to_stderr(call: Any) -> None:
    answer = call("values", "-1:(4), 0:(2)", "--frames", "2")
    assert answer.stderr.startswith("Note: ")


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["0:(1), 5:(foo)"], 'schedule, key "5", column 11: '),
        (["0:(1)", "--frames", "0"], "command line, max_frames: "),
        (["0:(1)", "--seed", "x"], "command line, seed: "),
        (["0:(1/t)"], 'schedule, key "0", column '),
    ],
)
def test_errors_name_their_place(call: Any, arguments: list[str], place: str) -> None:
    answer = call("values", *arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(place)
    assert len(answer.stderr.splitlines()) == 1


def test_hostile_schedules_end_quickly(call: Any) -> None:
    for text in ("0:(9**9**9)", "0:(().__class__)", "0:" + "(" * 1000, "0:(__import__('os').system('true'))"):
        answer = call("values", text)
        assert (answer.returncode, answer.stdout) == (2, ""), text


@pytest.mark.skipif(sys.platform == "win32", reason="the time of child processes is POSIX")
def test_it_starts_quickly(engine: Any) -> None:
    """Half a second is the promise. Processor time counts, because the machine may be busy with other tests."""
    import resource

    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        engine("values", "0:(1)")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5 * slowness(), seconds
