"""`wan-engine outpaint`: films, project files, previews; several films; what is told when it is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scene_films import write_film
from wan_engine.cli.app import main
from wan_engine.errors import MediaError
from wan_engine.media.probe import probe

FAST = ["--backend", "dry_run", "--no-split-scenes", "--preset", "ultrafast", "--num-inference-steps", "1", "--json"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    frames = np.random.default_rng(1).integers(0, 256, (12, 48, 64, 3), dtype=np.uint8)
    return write_film(tmp_path / "old.mp4", frames)


def run(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> dict[str, Any]:
    assert main(["outpaint", *map(str, words), *FAST]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_film_is_outpainted(capsys: pytest.CaptureFixture[str], film: Path, tmp_path: Path) -> None:
    made = run(capsys, film, "--aspect", "2:1", "--output-dir", tmp_path / "out")
    assert made["source"] == str(film)
    assert (probe(Path(made["film"])).width, probe(Path(made["film"])).height) == (96, 48)
    assert main(["outpaint", "--resume", made["folder"]]) == 0
    assert made["film"] in capsys.readouterr().out, "it is left as it is, and told"


def test_flags_win_over_a_project_file(capsys: pytest.CaptureFixture[str], film: Path, tmp_path: Path) -> None:
    project = tmp_path / "wide.yaml"
    project.write_text("kind: outpaint\nfilm: old.mp4\nright: 50\noutput_dir: out\ncrf: 3\n", encoding="utf-8")
    made = run(capsys, project, "--right", "25", "--cuts", "6")
    values = json.loads(Path(made["settings"]).read_text(encoding="utf-8"))
    assert (values["right"], values["crf"], values["cuts"]) == (25, 3, [6])
    assert Path(made["folder"]).is_relative_to(tmp_path / "out")


def test_a_preview_writes_pictures(capsys: pytest.CaptureFixture[str], film: Path, tmp_path: Path) -> None:
    made = run(capsys, film, "--left", "25", "--preview", "--frame", "5", "--output-dir", tmp_path / "out")
    assert all(Path(made[name]).suffix == ".png" for name in ("before", "canvas", "mask", "after"))


def test_of_several_films_one_that_fails_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], film: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(film.read_bytes()[:900])
    made = run(capsys, bad, film, "--right", "25", "--output-dir", tmp_path / "out", code=MediaError.exit_code)
    assert [bool(each.get("film")) for each in made["films"]] == [False, True]
    assert made["films"][0]["source"] == str(bad)


def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str], film: Path) -> None:
    for words, told in (
        (["--cuts", "a", film, "--right", "5"], "are no frames"),
        (["--cuts", "6,6", film, "--right", "5"], "not in order"),
        (["--resume", "x", film], "--resume"),
        (["--resume", "x", "--preview"], "--resume"),
        (["--resume", "x", "--cuts", "6"], "--resume"),
        ([film, "--right", "5", "--frame", "3"], "--frame: it is for --preview alone"),
        ([], "no film is given"),
        ([film, "--right", "5", "--crf", "60"], "out of range"),
    ):
        assert main(["outpaint", *map(str, words)]) != 0
        assert told in capsys.readouterr().err
