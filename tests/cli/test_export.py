"""`export` writes files that read back to the same settings, and never over one that is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wan_engine.schedule.project import load_project


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.txt"
    path.write_text("0: a cat\n1s: a dog --neg blur\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", ["txt", "json"])
def test_the_ending_says_the_kind(call: Any, film: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    answer = call("export", str(film), str(out), "--max-frames", "48", "--crf", "3", "--json")
    assert answer.returncode == 0, answer.stderr
    settings = load_project(out).settings
    assert settings.prompts == {"0": "a cat", "1s": "a dog --neg blur"}
    assert (settings.max_frames, settings.crf) == (48, 3)
    values = json.loads(out.read_text(encoding="utf-8"))
    assert ("animation_mode" in values) == (ending == "txt")
    said = json.loads(answer.stdout)
    assert said["file"] == str(out)
    assert bool(said["notes"]) == (ending == "txt")


def test_notes_are_shown(call: Any, film: Path, tmp_path: Path) -> None:
    answer = call("export", str(film), str(tmp_path / "out.txt"))
    assert "Written: " in answer.stdout
    assert "frame numbers" in answer.stdout


@pytest.mark.parametrize(("name", "words"), [("film.txt", "there already"), ("out.yaml", "which kind")])
def test_a_wrong_target_is_refused(call: Any, film: Path, tmp_path: Path, name: str, words: str) -> None:
    before = film.read_text(encoding="utf-8")
    answer = call("export", str(film), str(tmp_path / name))
    assert answer.returncode == 2
    assert words in answer.stderr
    assert film.read_text(encoding="utf-8") == before
    assert not (tmp_path / "out.yaml").exists()
