"""Each setting has its flag, made from the table; what is given reaches the verb unchecked, the rest does not."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from wan_engine.cli.flags import FLAGGED, flag_name, range_words, verb
from wan_engine.cli.screen import Screen
from wan_engine.settings import GROUPS, SETTINGS


def run(*arguments: str) -> tuple[Screen, dict[str, Any], str]:
    """Call a verb made for the test and return what it was given."""
    seen: list[tuple[Screen, dict[str, Any], str]] = []

    @verb(with_settings=True)
    def look(screen: Screen, flags: dict[str, Any], file: str) -> None:
        seen.append((screen, flags, file))

    app = typer.Typer()
    app.command()(look)
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen[0]


def test_every_setting_but_the_objects_has_a_flag() -> None:
    assert set(SETTINGS) - {spec.name for spec in FLAGGED} == {"prompts", "guided_images"}


def test_nothing_given_is_nothing_passed() -> None:
    assert run("a.json") == (Screen(), {}, "a.json")


@pytest.mark.parametrize("spec", FLAGGED, ids=lambda spec: spec.name)
def test_each_flag_reaches_the_verb(spec: Any) -> None:
    if spec.kind == "bool":
        assert run("f", flag_name(spec.name))[1] == {spec.name: True}
        assert run("f", "--no-" + flag_name(spec.name)[2:])[1] == {spec.name: False}
    else:
        assert run("f", flag_name(spec.name), "-5 [x]")[1] == {spec.name: "-5 [x]"}


def test_common_flags_fill_the_screen() -> None:
    assert run("f", "--json", "--plain", "--verbose")[0] == Screen(json=True, plain=True, verbose=True)


def test_help_shows_groups_ranges_and_defaults() -> None:
    @verb(with_settings=True)
    def look(screen: Screen, flags: dict[str, Any]) -> None:
        """Look."""

    app = typer.Typer(rich_markup_mode="rich")
    app.command()(look)
    text = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output.split())
    for group in GROUPS:
        assert f"Settings: {group}" in text
    assert "0 to 51; default 17" in text
    assert "h264|hevc|gif|png" in text


def test_ranges_in_words() -> None:
    assert range_words(SETTINGS["crf"]) == "0 to 51"
    assert range_words(SETTINGS["max_frames"]) == "1 to 1000000 frames"
    assert range_words(SETTINGS["seed"]) == "-1 to 4294967295"
    assert range_words(SETTINGS["sampler"]) == "unipc, euler, distilled"
    assert range_words(SETTINGS["model"]) == ""
