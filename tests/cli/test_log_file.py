"""The log file of calls that make something: events, the error that ends them, and no film lost for want of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wan_engine.cli.log_file import logged
from wan_engine.cli.screen import Screen
from wan_engine.render.events import Event

PROJECT = {"prompts": {"0": "a fox"}, "max_frames": 8, "width": 64, "height": 64, "steps": 2, "backend": "dry_run"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    file = tmp_path / "fox.json"
    file.write_text(json.dumps({"kind": "schedule", "version": 1, **PROJECT}), encoding="utf-8")
    return file


def test_a_film_is_logged_from_its_begin_to_its_end(
    call: Any, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))
    answer = call("render", str(project))
    assert answer.returncode == 0, answer.stderr
    lines = (tmp_path / "home" / "logs" / "commands.log").read_text(encoding="utf-8").splitlines()
    told = [line.split(" wan_engine.cli.log_file: ")[1] for line in lines if " wan_engine.cli.log_file: " in line]
    assert told[0] == f"started: {next((tmp_path / 'outputs' / 'film').iterdir())}"
    assert "clip_started, clip 1 of 1" in told
    assert any(line.startswith("film_done: ") for line in told)
    assert not any(line.startswith("step") for line in told)


def test_the_error_that_ends_a_film_is_logged(
    call: Any, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))
    answer = call("render", str(project), "--output-dir", str(project))
    assert answer.returncode
    assert "Ended: " in (tmp_path / "home" / "logs" / "commands.log").read_text(encoding="utf-8")


def test_an_error_that_nobody_foresaw_is_logged_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))
    screen = Screen()
    screen.start_logging()

    def told(event: Event) -> None:
        raise ZeroDivisionError(event.kind)

    with pytest.raises(ZeroDivisionError), logged(screen, told) as report:
        report(Event("film_started", "b\udcff.mp4"))
    text = (tmp_path / "home" / "logs" / "commands.log").read_text(encoding="utf-8")
    assert "Ended unexpectedly" in text
    assert "ZeroDivisionError" in text
    assert r"film_started: b\udcff.mp4" in text
    assert capsys.readouterr().err == ""


def test_a_film_is_made_where_no_log_can_be_written(
    call: Any, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))
    answer = call("render", str(project))
    assert answer.returncode == 0, answer.stderr
    assert "No log file is written" in answer.stderr
