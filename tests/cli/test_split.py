"""The verb `split`: a line for each film's steps, one for what became of it, and an exit code for a damaged one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scene_films import source_clip, write_film


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
