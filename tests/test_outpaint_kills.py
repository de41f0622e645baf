"""kill -9 and a full disk while a film is outpainted: it goes on to the same frames, and no step is made twice."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from film_process import killed_after
from scene_films import texture_clip, write_film
from small_disk import fill_up, small_disk
from wan_engine.errors import WanError
from wan_engine.media.probe import every_frame
from wan_engine.outpaint import OutpaintResult, make_outpaint, resume_outpaint
from wan_engine.plan.model import read_plan
from wan_engine.render.events import Event
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.storage.hashes import hash_bytes
from wan_engine.tools.outpaint.orders import OutpaintOrder

__all__ = ["small_disk"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STEPS = 3
CHUNKS = 3


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> OutpaintOrder:
    """A film of 29 frames, on a canvas of 64x64 pixels in three chunks of the small model."""
    folder = tmp_path_factory.mktemp("outpaint")
    film = write_film(folder / "film.mp4", texture_clip(3, 29)[:, :96:2, :128:2].astype("uint8"))
    settings = OutpaintSettings(
        prompt="a red circle moves right on a black background",
        target_width=64,
        target_height=64,
        gradient_width=4,
        batch_size=13,
        overlap=5,
        split_scenes=False,
        num_inference_steps=STEPS,
        guidance_scale=1,
        seed=5,
        encoder="software",
        preset="ultrafast",
        output_dir=str(folder / "out"),
    )
    return OutpaintOrder(film, settings)


class Steps:
    """Counts the denoising steps of each chunk."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        self.folder = Path()

    def __call__(self, event: Event) -> None:
        if event.kind == "started":
            self.folder = Path(event.message)
        if event.kind == "step":
            self.of[event.clip] = self.of.get(event.clip, 0) + 1


@pytest.fixture(scope="module")
def wanted(order: OutpaintOrder) -> list[str]:
    """The frames of the film that was outpainted in peace."""
    whole = make_outpaint(order, lambda event: None, lambda: False)
    assert len(read_plan(whole.plan).clips) == CHUNKS
    return frames_of(whole)


def frames_of(made: OutpaintResult) -> list[str]:
    """A hash of each frame: pytest would compare differing pictures for minutes."""
    return [hash_bytes(frame.tobytes()) for frame in every_frame(made.film)]


def test_a_killed_outpaint_is_gone_on_with(order: OutpaintOrder, wanted: list[str], tmp_path: Path) -> None:
    project = tmp_path / "outpaint.json"
    project.write_text(order.as_text(), encoding="utf-8")
    seed = random.randrange(10_000)
    moments = random.Random(seed)
    kill_at = moments.randint(STEPS + 1, CHUNKS * STEPS - 1)
    told = killed_after("outpaint", project, kill_at, moments)
    place = f"killed after {kill_at} steps, seed {seed}"
    (folder,) = (Path(event.message) for event in told if event.kind == "started")
    assert not [film for film in folder.glob("*.mp4") if ".part" not in film.name], place
    done = {chunk: sum((event.kind, event.clip) == ("step", chunk) for event in told) for chunk in range(CHUNKS)}
    last = Steps()
    made = resume_outpaint(folder, last, lambda: False)
    assert made.folder == folder
    for chunk in range(CHUNKS):
        again = done[chunk] + last.of.get(chunk, 0) - STEPS
        # The step in flight, which was not told, and the one whose state was just being written.
        assert -1 <= again <= 1, f"chunk {chunk}: {place}"
    assert 0 not in last.of, f"the finished chunk was rendered again, {place}"
    assert frames_of(made) == wanted, place
    assert not list(folder.rglob("*.part*")), "half a file was left"


def test_a_full_disk_stops_an_outpaint_that_goes_on_when_there_is_room(
    order: OutpaintOrder, wanted: list[str], small_disk: Path
) -> None:
    begun = Steps()
    fillers: list[Path] = []

    def report(event: Event) -> None:
        begun(event)
        if not fillers and (event.kind, event.clip, event.step) == ("step", 1, 1):
            fillers.append(fill_up(small_disk))

    there = replace(order, settings=replace(order.settings, output_dir=str(small_disk)))
    with pytest.raises(WanError, match="No space left") as caught:
        make_outpaint(there, report, lambda: False)
    assert "free some space" in caught.value.remedy
    with pytest.raises(WanError) as caught:  # still full
        resume_outpaint(begun.folder, lambda event: None, lambda: False)
    assert "ree some space" in caught.value.remedy
    fillers[0].unlink()
    last = Steps()
    made = resume_outpaint(begun.folder, last, lambda: False)
    assert 0 not in last.of, "the finished chunk was rendered again"
    assert frames_of(made) == wanted
