"""The verb `seams`."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from wan_engine.cli.app import main
from wan_engine.media.encode import EncodeOptions, FilmEncoder


@pytest.fixture
def film(tmp_path: Path) -> str:
    """Grey frames, brighter from frame 10 on."""
    path = tmp_path / "film.mp4"
    with FilmEncoder(EncodeOptions(path=path, width=64, height=64, fps=Fraction(10), frames=20)) as encoder:
        for number in range(20):
            encoder.write(np.full((64, 64, 3), 100 if number < 10 else 130, np.uint8))
    return str(path)


def test_figures_and_faults_are_shown(film: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seams", film, "--cuts", "1s,15"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Frame 10 (1.00 s): bad; difference ")
    assert any("the colour jumps by" in line for line in lines)
    assert lines[-1].startswith("Frame 15 (1.50 s): good;")


def test_json_holds_every_figure(film: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seams", film, "--cuts", "10", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["film"] == film
    (seam,) = answer["seams"]
    assert seam["grade"] == "bad"
    assert {"difference", "warp", "motion", "colour", "spread", "turn", "flash", "faults"} <= seam.keys()


def test_bad_input_ends_in_words(film: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seams", film]) == 2
    assert "no plan lies beside" in capsys.readouterr().err
    assert main(["seams", film, "--cuts", "99"]) == 2
    assert "the film has 20 frames" in capsys.readouterr().err
