"""Folder names from batch_name templates: Deforum's results, and never anything but one plain name."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.settings import Settings
from wan_engine.storage.names import NAME_BYTES, VALUE_LENGTH, fill_name, template_values, timestring

CONFORMANCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "deforum_conformance.json"
NOW = datetime(2024, 1, 1)
SETTINGS = Settings(
    prompts={"0": "a very long prompt about a tiny cute bunny in a field of flowers, detailed", "30": "a cat"},
    seed=42,
    width=512,
    height=768,
)


def name(template: str, settings: Settings = SETTINGS) -> str:
    return fill_name(template, template_values(settings, NOW))


def conformance_cases() -> list[Any]:
    if not CONFORMANCE.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the conformance data is not here"))]
    cases = json.loads(CONFORMANCE.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["family"] == "batch_name"]


@pytest.mark.parametrize("case", conformance_cases())
def test_conformance(case: dict[str, Any]) -> None:
    assert name(case["input"]["template"]) == case["expected"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{seed}_{w}x{h}", "42_512x768"),
        ("{W}x{H}", "512x768"),
        ("{SEED}", "42"),
        ("{max_frames}-{codec}", "120-h264"),
        ("{timestring}", "20240101000000"),
        ("{date}-{time}", "20240101-000000"),
        ("{no_such_name}", "no_such_name"),
        ("{positive_prompt}", "_"),
        ("", "_"),
        ("my film, take 2", "my_film__take_2"),
        ('<>:"/\\|?*', "_________"),
        ("tab\tline\nend\x00\x7f", "tab_line_end__"),
        ("{", "{"),
        ("{}", "{}"),
        ("{a b}", "{a_b}"),
        ("..", "__"),
        (".", "_"),
        ("../../etc", ".._.._etc"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\Windows", "C__Windows"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console", "console"),
        ("film...", "film___"),
        ("Ünï-漢字", "Ünï-漢字"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert name(template) == expected


def test_first_prompt_is_cut_before_it_is_cleaned() -> None:
    assert name("{prompts}") == "a_very_long_prompt_about_a_tiny_cute_bunny_in_a_fi"
    assert len(name("{prompts}")) == VALUE_LENGTH


def test_no_prompts() -> None:
    assert name("{prompts}", Settings()) == "_"


def test_names_in_values_are_not_filled_again() -> None:
    assert name("{positive_prompt}", Settings(positive_prompt="{seed}")) == "{seed}"


def test_length_is_in_bytes() -> None:
    assert fill_name("漢" * 200, {}) == "漢" * (NAME_BYTES // 3)
    assert fill_name("abc", {}, max_bytes=2) == "ab"
    assert fill_name("\N{GRINNING FACE}", {}, max_bytes=2) == "_"


@given(st.text(), st.dictionaries(st.text(min_size=1, max_size=8), st.text() | st.none() | st.integers(), max_size=5))
def test_result_is_always_one_plain_name(template: str, values: dict[str, Any]) -> None:
    for text in (template, "".join(f"{{{key}}}" for key in values) + template):
        result = fill_name(text, values)
        assert result
        assert result not in (".", "..")
        assert len(result.encode("utf-8")) <= NAME_BYTES + 1
        assert not set(result) & set('<>:"/\\|?* \t\r\n\x00,')
        assert not result.endswith(".")


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_timestring_has_fourteen_digits(moment: datetime) -> None:
    assert len(timestring(moment)) == 14
    assert timestring(moment).isdigit()
