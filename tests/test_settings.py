"""The table of settings is whole and consistent, its page is current, and frame rates are exact."""

from __future__ import annotations

import time
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.cli.settings_page import page
from wan_engine.settings import GROUPS, SETTINGS, Settings, SettingSpec, parse_fps, settings_to_mapping
from wan_engine.settings_check import settings_from_mapping
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS
from wan_engine.settings_pictures import PICTURE_SETTINGS
from wan_engine.settings_planning import PLANNING_SETTINGS
from wan_engine.settings_split import SPLIT_SETTINGS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
EACH = pytest.mark.parametrize("spec", SETTINGS.values(), ids=list(SETTINGS))


def test_every_field_is_in_the_table() -> None:
    assert list(SETTINGS) == [entry.name for entry in fields(Settings)]
    assert {spec.group for spec in SETTINGS.values()} == set(GROUPS)
    assert len({spec.label for spec in SETTINGS.values()}) == len(SETTINGS), "labels are the names of controls"


@EACH
def test_a_setting_is_described(spec: SettingSpec) -> None:
    assert spec.label
    assert spec.help.endswith(".")
    assert (spec.minimum is None) == (spec.maximum is None), "messages name both ends"
    if spec.minimum is not None and spec.maximum is not None:
        assert spec.minimum < spec.maximum
    assert bool(spec.choices) == (spec.kind == "choice") or spec.kind == "text_schedule"


@EACH
def test_the_default_is_allowed(spec: SettingSpec) -> None:
    checked = settings_from_mapping({spec.name: spec.default})
    assert getattr(checked, spec.name) == spec.default == getattr(Settings(), spec.name)


def test_defaults_are_not_shared() -> None:
    one = Settings()
    one.prompts["0"] = "a cat"
    assert Settings().prompts == {}


def test_settings_survive_as_a_mapping() -> None:
    settings = Settings(prompts={"0": "a cat", "max_f/2": "a dog"}, fps="30000/1001", seed=7, make_gif=True)
    assert settings_from_mapping(settings_to_mapping(settings)) == settings


@given(st.integers(0, 10**9 - 1), st.integers(1, 10**9 - 1))
def test_a_ratio_is_exact(over: int, under: int) -> None:
    assert parse_fps(f"{over}/{under}") == Fraction(over, under)


@given(st.decimals(0, 1000, places=3))
def test_a_decimal_number_is_exact(rate: object) -> None:
    if str(rate) not in ("23.976", "29.970", "59.940"):
        assert parse_fps(f" {rate:f} ") == Fraction(f"{rate:f}")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        (24, Fraction(24)),
        (12.5, Fraction(25, 2)),
        ("0", Fraction(0)),
    ],
)
def test_broadcast_rates_mean_their_ratio(text: str | float, rate: Fraction) -> None:
    assert parse_fps(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "-5", "1/0", "1e999999999", "inf", "nan", "1_000", "9" * 5000, "1/2/3"])
def test_what_is_no_rate_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        parse_fps(text)
    assert time.process_time() - started < 0.5


def test_film_fps_is_the_exact_rate() -> None:
    assert Settings(fps="23.976").film_fps == Fraction(24000, 1001)


def test_the_page_is_current() -> None:
    """Make it again: python -m wan_engine.cli.settings_page > docs/settings.md"""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("table", "first", "behind"),
    [
        (SETTINGS, "## Prompts", "## Planning"),
        (PLANNING_SETTINGS, "## Planning", "## Keyframe pictures"),
        (PICTURE_SETTINGS, "## Keyframe pictures", "## Scenes"),
        (SPLIT_SETTINGS, "## Scenes", "## Outpaint"),
    ],
    ids=["films", "planning", "pictures", "scenes"],
)
def test_the_page_has_a_row_for_each(table: dict[str, SettingSpec], first: str, behind: str) -> None:
    part = PAGE.read_text(encoding="utf-8").partition(first)[2].partition(behind)[0]
    for spec in table.values():
        rows = [line for line in part.splitlines() if line.startswith(f"| `{spec.name}` |")]
        assert len(rows) == 1, spec.name
        assert spec.label in rows[0]


def test_the_page_has_a_row_for_each_setting_of_outpainting() -> None:
    """Those of the model are shared with films."""
    outpaint = PAGE.read_text(encoding="utf-8").partition("## Outpaint")[2]
    for spec in OUTPAINT_SETTINGS.values():
        rows = [line for line in outpaint.splitlines() if line.startswith(f"| `{spec.name}` |")]
        assert len(rows) == (spec.group != "model"), spec.name
