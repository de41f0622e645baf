"""Subtitles: Deforum's times, and text that cannot break the file."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.media.subtitles import srt_text, srt_time, write_srt

CONFORMANCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "deforum_conformance.json"


def conformance_cases() -> list[Any]:
    if not CONFORMANCE.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the conformance data is not here"))]
    cases = json.loads(CONFORMANCE.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["family"] == "srt_time"]


@pytest.mark.parametrize("case", conformance_cases())
def test_conformance(case: dict[str, Any]) -> None:
    assert srt_time(case["input"]["frame"], Fraction(case["input"]["fps"])) == case["expected"]


@pytest.mark.parametrize(
    ("frame", "fps", "expected"),
    [
        (1, "15", "00:00:00,066"),
        (16 * 3600 * 12 + 8, "16", "12:00:00,500"),
        (30000, "30000/1001", "00:16:41,000"),
        (1, "3", "00:00:00,333"),
        (2, "3", "00:00:00,666"),
        (16 * 3600 * 100, "16", "100:00:00,000"),
    ],
)
def test_times_are_cut_not_rounded(frame: int, fps: str, expected: str) -> None:
    assert srt_time(frame, Fraction(fps)) == expected


def test_file(tmp_path: Path) -> None:
    write_srt(
        tmp_path / "a.srt", [(0, 30, "a bear"), (30, 40, " \n"), (40, 40, "x"), (40, 45, "ein Bär")], Fraction(15)
    )
    assert (tmp_path / "a.srt").read_text(encoding="utf-8") == (
        "1\n00:00:00,000 --> 00:00:02,000\na bear\n\n2\n00:00:02,666 --> 00:00:03,000\nein Bär\n"
    )


def test_no_entries(tmp_path: Path) -> None:
    write_srt(tmp_path / "a.srt", [], Fraction(15))
    assert (tmp_path / "a.srt").read_bytes() == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n\n\ntwo", "one\ntwo"),
        ("one\r\n \t\r\ntwo\r", "one\ntwo"),
        ("a --> b", "a -> b"),
        ("a ----> b", "a -> b"),
        ("a -->--> b", "a ->-> b"),
        ("--neg x", "--neg x"),
        ("a\x00b\x1b", "ab"),
        ("a\u2028b\x0bc\x85d", "a\nb\nc\nd"),
    ],
)
def test_text(text: str, expected: str) -> None:
    assert srt_text(text) == expected


@given(st.text(st.sampled_from("ab- >\n\r\t\x00\x1c\u2028<{")))
def test_no_text_breaks_an_entry(text: str) -> None:
    cleaned = srt_text(text)
    assert "-->" not in cleaned
    assert not re.search(r"\n\s*\n", f"\n{cleaned}\n") or not cleaned


@given(st.lists(st.text(), max_size=5))
def test_file_has_one_block_for_each_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    target = tmp_path_factory.mktemp("srt") / "a.srt"
    write_srt(target, [(10 * number, 10 * number + 10, text) for number, text in enumerate(texts)], Fraction(10))
    blocks = [block for block in target.read_text(encoding="utf-8").split("\n\n") if block.strip()]
    assert len(blocks) == sum(bool(srt_text(text)) for text in texts)
    assert [block.split("\n")[0] for block in blocks] == [str(number + 1) for number in range(len(blocks))]
