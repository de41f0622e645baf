"""The seams of film files: frames named by the user, or known by the plan beside the film."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from wan_engine.errors import InputError, MediaError
from wan_engine.film import make_film, resume_film
from wan_engine.media.encode import EncodeOptions, FilmEncoder
from wan_engine.plan.model import read_plan
from wan_engine.plan.seam import Join, seam_notes
from wan_engine.render.result import FilmResult
from wan_engine.seams.film import joins_of, seams_of
from wan_engine.settings import Settings


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """48 frames of a bar that goes right two pixels a frame; at frame 24 it stands still once and gets brighter."""
    path = tmp_path / "bar.mp4"
    with FilmEncoder(EncodeOptions(path=path, width=128, height=64, fps=Fraction(12), frames=48)) as encoder:
        for number in range(48):
            picture = np.full((64, 128, 3), 60 if number < 24 else 70, np.uint8)
            left = 8 + 2 * (number - (number >= 24))
            picture[16:48, left : left + 16] = (220, 90, 40)
            encoder.write(picture)
    return path


@pytest.fixture
def made(tmp_path: Path) -> FilmResult:
    """A film of the dry run: three prompts, so two seams."""
    settings = Settings(
        prompts={"0": "a", "10": "b", "20": "c"},
        max_frames=30,
        backend="dry_run",
        seed=1,
        width=64,
        height=64,
        output_dir=str(tmp_path / "out"),
    )
    return make_film(settings, lambda _event: None, lambda: False)


def test_named_frames_are_measured(film: Path) -> None:
    good, bad = seams_of(film, joins_of(film, ["12", " 2s"]))
    assert (good.frame, good.grade) == (12, "good")
    assert (bad.frame, bad.kind) == (24, "")
    assert bad.colour > 1
    assert bad.motion < 0.5


def test_words_that_name_no_frame_are_told_together(film: Path) -> None:
    with pytest.raises(InputError) as caught:
        joins_of(film, ["0", "12", "x", "-3s", "1/0s", "1e20000000s"])
    assert len(caught.value.problems) == 5
    assert all(problem.field == "cuts" for problem in caught.value.problems)


def test_a_frame_beyond_the_film_is_refused(film: Path) -> None:
    with pytest.raises(InputError, match="the film has 48 frames; none is 48"):
        seams_of(film, {47: Join(), 48: Join()})


def test_a_film_of_ours_knows_its_seams(made: FilmResult, tmp_path: Path) -> None:
    assert made.film is not None
    plan = read_plan(made.plan)
    assert [(seam.frame, seam.kind, seam.new_prompt) for seam in plan.seams] == [
        (10, "last_frame", True),
        (20, "last_frame", True),
    ]
    joins = joins_of(made.film, [])
    assert joins == plan.joins()
    assert [seam.frame for seam in seams_of(made.film, joins)] == [10, 20]
    alone = shutil.copy(made.film, tmp_path / "alone.mp4")
    with pytest.raises(InputError, match="no plan lies beside"):
        joins_of(Path(alone), [])


def test_faulty_seams_are_noted_and_do_not_renew_the_film(made: FilmResult) -> None:
    seams = read_plan(made.plan).seams
    notes = list(seam_notes(seams, Fraction(16)))
    assert len(notes) == sum(bool(list(seam.faults())) for seam in seams)
    assert notes[0].startswith("Seam at frame 10 (0.62 s): ")
    assert not set(notes) & set(made.notes), "a dry run's pictures say nothing of seams"
    events: list[str] = []
    again = resume_film(made.folder, lambda event: events.append(event.kind), lambda: False)
    assert again == made
    assert events == []


def test_what_is_no_film_is_refused(tmp_path: Path, film: Path) -> None:
    text = tmp_path / "film.mp4"
    text.write_text("no film")
    for path in (text, tmp_path / "nothing.mp4"):
        with pytest.raises(MediaError):
            seams_of(path, {3: Join()})


def test_a_dry_runs_seams_are_left_alone(tmp_path: Path) -> None:
    """Its pictures say nothing of seams, and it is for a quick look."""
    settings = Settings(
        prompts={"0": "a", "10": "b"},
        max_frames=20,
        backend="dry_run",
        seed=1,
        width=64,
        height=64,
        steps="2",
        seam_retries=3,
        seam_repair="cross_fade",
        keep_clips=True,
        output_dir=str(tmp_path / "out"),
    )
    steps: list[int] = []
    made = make_film(settings, lambda event: steps.append(event.steps_total), lambda: False)
    plan = read_plan(made.plan)
    assert (plan.seam_retries, plan.seam_repair, max(steps)) == (3, "cross_fade", 4)
    assert [seam.versions for seam in plan.seams] == [()]
    assert sorted(path.suffix for path in (made.folder / "clips").iterdir()) == [".json", ".json", ".mkv", ".mkv"]
