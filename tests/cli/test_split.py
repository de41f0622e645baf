"""The verb `split`: a line for each film's steps, one for what became of it, and an exit code for a damaged one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scene_films import source_clip, write_film
from wan_engine.cli.app import main
from wan_engine.errors import InputError


def test_each_line_names_its_film_and_a_damaged_one_ends_with_an_error(call: Any, tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", source_clip("testsrc2=s=192x108:r=24", 24).astype(np.uint8))
    (tmp_path / "b.mp4").write_bytes(b"no film")
    made = call("split", "a.mp4", "b.mp4", "--output-dir", "out", "--detector", "content", "--height", "0")
    assert made.returncode == 4, made.stderr
    told = made.stderr.splitlines()
    assert told[:2] == [f"Output directory: {tmp_path / 'out'}", "Film 1 of 2: a.mp4"]
    assert "Film 1 of 2: a.mp4: 1 scene" in told
    assert any(line.startswith("Film 2 of 2: b.mp4: ") for line in told)
    assert made.stdout == f"{tmp_path / 'a.mp4'}: 1 scene, 1 file cut; {tmp_path / 'out' / 'scenes-a.json'}\n"


def test_steps_are_told_in_per_cent(call: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("wan_engine.cli.progress.STEP_LINE_SECONDS", -1.0)
    write_film(tmp_path / "a.mp4", source_clip("testsrc2=s=192x108:r=24", 24).astype(np.uint8))
    made = call("split", "a.mp4", "--output-dir", "out", "--detector", "content", "--height", "0")
    assert made.returncode == 0, made.stderr
    assert any(
        line.startswith("Film 1 of 1: Cutting") and line.endswith(", 100 %") for line in made.stderr.splitlines()
    )


def test_json_tells_everything_and_resume_keeps_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "a.mp4", source_clip("testsrc2=s=192x108:r=24", 24).astype(np.uint8))
    quick = ["split", "*.mp4", "--output-dir", "out", "--detector", "content", "--height", "0", "--resume"]
    assert main([*quick, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"folder", "films", "notes"}
    (film,) = answer["films"]
    assert set(film) == {"film", "list", "table", "curve", "sheet", "scenes", "made", "notes", "error"}
    assert (film["error"], film["scenes"], film["made"]) == (None, 1, 1)
    assert all(Path(film[name]).is_file() for name in ("list", "table", "curve", "sheet"))
    assert main(quick) == 0
    assert "a.mp4: 1 scene, 0 files cut; " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.mp4"], '"none.mp4" leads to no film'),
        (["--threshold", "2", __file__], "threshold: 2 is out of range"),
        (["--name-pattern", "{series}", __file__], "all scenes would get the same name"),
        (["--detector", "magic", __file__], "'magic' is not one of its values"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["split", *words]) == InputError.exit_code
    assert told in " ".join(capsys.readouterr().err.split())
