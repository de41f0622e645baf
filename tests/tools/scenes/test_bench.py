"""The benchmark of splitting: its arithmetic, and a whole turn of it."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from scene_films import Join, joined, texture_clip, write_film
from wan_engine.media.frame_times import FrameTimes
from wan_engine.tools.scenes.bench import Spent, SplitFigures, measure_split, own_frame


def test_figures_in_words() -> None:
    half = {"bfloat16": Spent(1.0, 2.0)}
    figures = SplitFigures(
        100, 2, Spent(4.0, 6.0), half, ((10, 10), (40, 50), (70, 70)), (11, 52, 90), Spent(2, 3), Spent(1, 2)
    )
    assert figures.differing() == ([(70, 70)], [90])
    lines = figures.lines()
    assert "4.00 s, 25 frames a second" in lines[1]
    assert "4.00 times as fast (3.00 by processor time)" in lines[2]
    assert "of them by the package too 2" in lines[3]
    assert "2.00 times as fast" in lines[-1]
    assert Spent(1, 5).best(Spent(2, 3)) == Spent(1, 3)


def test_frames_of_an_even_rate_are_found_in_a_film_of_varying_rate() -> None:
    # Ten frames of a tenth of a second, then ten of a fifth: at an even rate thirty.
    varying = FrameTimes(np.cumsum([0, *[1] * 10, *[2] * 9]), Fraction(1, 10))
    assert [own_frame(varying, 30, frame) for frame in (0, 9, 10, 12, 20, 28)] == [0, 9, 10, 11, 15, 19]
    even = FrameTimes(np.arange(20), Fraction(1, 10))
    assert [own_frame(even, 20, frame) for frame in (0, 7, 20)] == [0, 7, 20]


@pytest.mark.slow
def test_a_turn_of_everything(tmp_path: Path) -> None:
    frames, _ = joined([texture_clip(seed, 40) for seed in range(3)], [Join("cut")] * 2)
    film = write_film(tmp_path / "film.mp4", frames)
    random.seed(3)
    before = random.getstate()
    figures = measure_split(film, 1)
    assert random.getstate() == before, "the package ran in this process"
    assert figures.cuts == (40, 80)
    assert figures.differing() == ([], [])
    assert "float32" in figures.ours
    assert min(figures.plain.wall, figures.cut.wall, figures.encoded.wall) > 0
    assert json.loads(json.dumps(figures.as_dict()))["frames"] == 120
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
