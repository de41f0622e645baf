"""One film in several ways of continuity: what is made, and what is measured of it."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from samples import make_clip, make_plan
from wan_engine.chains import ChainFilm, measure_chain, named_ways
from wan_engine.cli.app import main
from wan_engine.errors import InputError
from wan_engine.media.encode import EncodeOptions, FilmEncoder
from wan_engine.plan.model import Plan, read_plan
from wan_engine.seams.meter import measure

PROJECT = """
kind: schedule
version: 1
prompts: {"0": "a", "20": "b"}
max_frames: 30
clip_duration: 0.7
width: 64
height: 64
seed: 1
backend: dry_run
"""


def ball_film(path: Path, jump: int) -> ChainFilm:
    """Two clips of 16 frames: a red circle goes right a pixel a frame, and is `jump` pixels further at the seam."""
    rows, columns = np.indices((64, 128)) + 0.5
    options = EncodeOptions(
        path=path, width=128, height=64, fps=Fraction(16), frames=32, crf=0, pixel_format="yuv444p", preset="ultrafast"
    )
    pictures = []
    for number in range(32):
        x = 30 + number + (jump if number >= 16 else 0)
        pictures.append(np.full((64, 128, 3), 13, np.uint8))
        pictures[-1][(rows - 32) ** 2 + (columns - x) ** 2 < 100] = (230, 38, 38)
    with FilmEncoder(options) as encoder:
        for picture in pictures:
            encoder.write(picture)
    prompt = "a red circle moves right on a black background"
    clips = (
        make_clip(index=0, start=0, end=16, prompt=prompt),
        make_clip(index=1, start=16, end=32, prompt=prompt, continuity="last_frame", part=1),
    )
    plan = make_plan(*clips)
    return ChainFilm("last_frame", path, replace(plan, seams=measure(pictures, plan.joins())), 1.0)


def test_a_jump_at_a_seam_is_measured(tmp_path: Path) -> None:
    smooth = measure_chain(ball_film(tmp_path / "smooth.mp4", 0), shapes=True)
    assert smooth.seams == 1
    assert smooth.jump == pytest.approx(0, abs=0.1)
    assert smooth.difference == pytest.approx(1, abs=0.15)
    assert smooth.dynamic == pytest.approx(1, abs=0.2)
    assert smooth.drift == pytest.approx(0, abs=0.1)
    jumped = measure_chain(ball_film(tmp_path / "jumped.mp4", 5), shapes=True)
    assert jumped.jump == pytest.approx(5, abs=0.1)
    assert jumped.difference == jumped.worst_difference > 2
    assert jumped.motion > 2 * smooth.motion
    assert measure_chain(ball_film(tmp_path / "other.mp4", 5), shapes=False).jump is None


def test_unknown_ways_are_told() -> None:
    assert [way.name for way in named_ways(["keyframes", "last_frame"])] == ["keyframes", "last_frame"]
    assert len(named_ways([])) > 5
    with pytest.raises(InputError, match='"fast" is no way'):
        named_ways(["fast"])


@pytest.fixture
def project(tmp_path: Path) -> str:
    path = tmp_path / "film.yaml"
    path.write_text(PROJECT, encoding="utf-8")
    return str(path)


def plan_beside(film: str) -> Plan:
    path = Path(film)
    return read_plan(path.with_name(f"{path.stem}_plan.json"))


def test_ways_are_rendered_beside_each_other(project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["bench", "continuity", project, "--output-dir", str(out), "--way", "overlap_5", "--way", "keyframes"]
    assert main([*arguments, "--json"]) == 0
    one, other = json.loads(capsys.readouterr().out)["measured"]
    assert (one["way"], other["way"]) == ("overlap_5", "keyframes")
    assert [clip.overlap for clip in plan_beside(one["film"]).clips[1:]] == [5] * (
        len(plan_beside(one["film"]).clips) - 1
    )
    joins = plan_beside(one["film"]).joins()
    # The second film passes through pictures of the first one, at the frames of its seams.
    assert {clip.arrives for clip in plan_beside(other["film"]).clips if clip.end_image} == set(joins)
    assert one["seams"] == len(joins)
    assert Path(one["film"]).is_relative_to(out / "overlap_5")
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| way | difference |")
    assert lines[2].startswith("| overlap_5 | ")


def test_keyframes_need_another_film(project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "continuity", project, "--output-dir", str(tmp_path / "out"), "--way", "keyframes"]) == 2
    assert "takes its pictures from another film" in capsys.readouterr().err
