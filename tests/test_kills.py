"""kill -9 and a full disk in each way of continuity: the film goes on with the same frames, nothing is made twice."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from film_process import Told, killed_after
from small_disk import fill_up, small_disk
from wan_engine.errors import WanError
from wan_engine.film import make_film, resume_film
from wan_engine.media.pictures import write_png
from wan_engine.media.probe import every_frame
from wan_engine.plan.model import read_plan
from wan_engine.render.events import Event
from wan_engine.render.result import FilmResult
from wan_engine.schedule.project import project_to_text
from wan_engine.settings import Settings
from wan_engine.storage.hashes import hash_bytes

__all__ = ["small_disk"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RIGHT = "a red circle moves right on a black background"
FILM = Settings(
    prompts={"0": RIGHT, "16": "a blue square moves down on a black background"},
    max_frames=24,
    clip_duration=0.5,
    width=64,
    height=64,
    steps="3",
    guidance_scale="1",
    seed=5,
    crf=0,
    pixel_format="yuv444p",
    preset="ultrafast",
    subtitles=False,
    batch_name="killed",
)
"""Three clips of eight frames, two of them with one prompt."""
WAYS: dict[str, dict[str, Any]] = {
    "overlap that loops": {"continuity": "overlap", "overlap_frames": 5, "loop": True, "hold_colour": True},
    "keyframes": {"init_image": "circle_right.png", "guided_images": {"8": "square.png", "16": "circle_left.png"}},
    "bad seams": {
        "prompts": {"0": RIGHT},
        "max_frames": 36,
        "clip_duration": 0.75,
        "init_image": "circle_left.png",
        "guided_images": {"12": "circle_right.png", "24": "circle_left.png"},
        "seam_retries": 2,
        "seam_repair": "vace",
    },
}


def pictures(folder: Path) -> None:
    """Red shapes to pass through. From one circle to the other and back the motion turns: a fault of the seam."""
    rows, columns = np.indices((64, 64)) + 0.5
    shapes = {
        "circle_left": (rows - 32) ** 2 + (columns - 16) ** 2 < 100,
        "circle_right": (rows - 32) ** 2 + (columns - 48) ** 2 < 100,
        "square": (abs(rows - 24) < 9) & (abs(columns - 40) < 9),
    }
    for name, inside in shapes.items():
        picture = np.full((64, 64, 3), 13, np.uint8)
        picture[inside] = (230, 38, 38)
        write_png(folder / f"{name}.png", picture)


def settings_for(way: str, folder: Path) -> Settings:
    pictures(folder)
    changes = dict(WAYS[way])
    if "guided_images" in changes:
        changes["guided_images"] = {at: str(folder / name) for at, name in changes["guided_images"].items()}
        changes["init_image"] = str(folder / changes["init_image"])
    return replace(FILM, output_dir=str(folder / "out"), **changes)


def frames_of(film: Path | None) -> list[str]:
    """A hash of each frame: pytest would compare differing pictures for minutes."""
    assert film is not None
    return [hash_bytes(frame.tobytes()) for frame in every_frame(film)]


class Steps:
    """Counts the denoising steps that a film takes."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: Event) -> None:
        self.count += event.kind == "step"


def film_folder(told: list[Told]) -> Path:
    return Path(next(event.message for event in told if event.kind == "started"))


@pytest.mark.parametrize("way", WAYS)
def test_a_film_survives_kills_and_repeats_no_step(tmp_path: Path, way: str) -> None:
    settings = settings_for(way, tmp_path)
    alone = Steps()
    whole = make_film(settings, alone, lambda: False)
    project = tmp_path / "film.yaml"
    project.write_text(project_to_text(settings), encoding="utf-8")
    seed = random.randrange(10_000)
    moments = random.Random(seed)
    kills = 3
    told = killed_after("begin", project, moments.randint(1, alone.count // kills), moments)
    folder = film_folder(told)
    for _ in range(kills - 1):
        told += killed_after("resume", folder, moments.randint(1, alone.count // kills), moments)
    done = sum(event.kind == "step" for event in told)
    last = Steps()
    result = resume_film(folder, last, lambda: False)
    place = f"kill moments from seed {seed}"
    if settings.seam_retries:
        assert any(len(seam.versions) > 1 for seam in read_plan(result.plan).seams), "nothing was tried for a seam"
    assert last.count < alone.count, "no kill came late enough: the test has shown nothing"
    # A kill costs the step in flight, which was not told, and the one whose state was just being written.
    assert alone.count - kills <= done + last.count <= alone.count + kills, place
    assert frames_of(result.film) == frames_of(whole.film), place
    assert not list(folder.rglob("*.part*")), "half a file was left"


@pytest.mark.parametrize("way", ["overlap that loops", "bad seams"])
def test_a_full_disk_stops_a_film_that_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path, way: str) -> None:
    settings = settings_for(way, tmp_path)
    alone = Steps()
    whole = make_film(settings, alone, lambda: False)
    events: list[Event] = []
    fillers: list[Path] = []

    def report(event: Event) -> None:
        events.append(event)
        if not fillers and (event.kind, event.clip, event.step) == ("step", 1, 1):
            fillers.append(fill_up(small_disk))

    with pytest.raises(WanError, match="No space left") as caught:
        make_film(replace(settings, output_dir=str(small_disk)), report, lambda: False)
    assert "free some space" in caught.value.remedy
    folder = Path(next(event.message for event in events if event.kind == "started"))
    # Still full: it says at once how much is needed.
    with pytest.raises(WanError, match=r"has .* free, and .* are needed") as caught:
        resume_film(folder, lambda _event: None, lambda: False)
    assert "Free some space" in caught.value.remedy
    fillers[0].unlink()
    last = Steps()
    result: FilmResult = resume_film(folder, last, lambda: False)
    done = sum(event.kind == "step" for event in events)
    # What the state on disk does not hold is made again: the step in flight, and that whose state found no room.
    assert alone.count <= done + last.count <= alone.count + 3, "it went on, and did not begin anew"
    assert frames_of(result.film) == frames_of(whole.film)
