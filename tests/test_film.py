"""Whole films, from settings to files: exact length and timing, stopping and going on, changed plans, bad input."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from PIL import Image

from untrained import write_untrained
from wan_engine.errors import Cancelled, CapabilityError, InputError, MediaError, ModelError, StorageError
from wan_engine.film import make_film, plan_film, resume_film, settled
from wan_engine.plan.model import read_plan
from wan_engine.render.events import Event
from wan_engine.render.result import FilmResult
from wan_engine.schedule.project import load_project
from wan_engine.settings import Settings
from wan_engine.storage.lock import folder_lock

PROMPTS = {"0": "a red circle --neg blur", "7": "a blue square", "20": "a green triangle"}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_untrained(folder)
    return folder


@pytest.fixture
def settings(tiny_model: Path, tmp_path: Path) -> Settings:
    """A small film, drawn and not rendered unless a test says otherwise."""
    return Settings(
        prompts=PROMPTS,
        max_frames=30,
        fps="12",
        width=64,
        height=64,
        steps="2",
        seed=3,
        backend="dry_run",
        model=str(tiny_model),
        output_dir=str(tmp_path / "out"),
        save_frames=True,
    )


def quiet(event: Event) -> None:
    """A report that nobody reads."""


def never() -> bool:
    return False


def make(settings: Settings, **changes: Any) -> FilmResult:
    return make_film(replace(settings, **changes), quiet, never)


def pictures(result: FilmResult) -> list[bytes]:
    return [path.read_bytes() for path in sorted(result.folder.glob("*_0*.png"))]


def decoded(path: Path) -> tuple[int, Fraction]:
    """Frames and rate of a film file."""
    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
        return sum(1 for _ in container.decode(video=0)), Fraction(rate)


def stop_at(kind: str, clip: int, step: int = 0) -> tuple[Any, Any, list[Event]]:
    """A report, and a cancel check that is true from that event on."""
    events: list[Event] = []

    def stopped() -> bool:
        return any((event.kind, event.clip) == (kind, clip) and event.step >= step for event in events)

    return events.append, stopped, events


@pytest.mark.parametrize("fps", ["12", "23.976", "60"])
def test_the_film_has_exactly_its_frames_at_its_rate(settings: Settings, fps: str) -> None:
    result = make(settings, fps=fps)
    assert result.film is not None
    assert decoded(result.film) == (30, Settings(fps=fps).film_fps)
    assert len(pictures(result)) == 30


def test_each_prompt_is_shown_from_its_own_frame(settings: Settings) -> None:
    """The dry run draws each clip in a colour of its own, so the colour must change exactly at the keys."""
    result = make(settings)
    files = sorted(result.folder.glob("*_0*.png"))
    corner = [np.asarray(Image.open(path).convert("RGB"))[20, 60].tolist() for path in files]
    changes = [number for number in range(1, 30) if corner[number] != corner[number - 1]]
    assert changes == [7, 20]


def test_everything_lies_beside_the_film(settings: Settings) -> None:
    result = make(settings, make_gif=True)
    stamp = result.folder.name
    names = {path.name for path in result.folder.iterdir() if not re.fullmatch(r".*_\d{9}\.png|\.lock", path.name)}
    endings = (".mp4", ".gif", ".srt", "_sheet.png", "_plan.json", "_settings.json")
    assert names == {stamp + ending for ending in endings}
    assert load_project(result.settings).settings == settled(replace(settings, make_gif=True))
    plan = read_plan(result.plan)
    assert plan.resolved["backend"] == "dry_run"
    assert [clip.start for clip in plan.clips] == [0, 7, 20]
    subtitles = (result.folder / f"{stamp}.srt").read_text(encoding="utf-8")
    assert "00:00:00,583 --> 00:00:01,666\na blue square" in subtitles


def test_a_film_rendered_by_the_model_says_that_it_is_noise(settings: Settings) -> None:
    result = make(settings, backend="wan", max_frames=10)
    assert any("noise" in note for note in result.notes)
    frames = [np.asarray(Image.open(path)) for path in sorted(result.folder.glob("*_0*.png"))]
    assert len(frames) == 10
    assert frames[0].std() > 1
    assert read_plan(result.plan).resolved["models"]["t2v"]["sha256"]


def test_the_same_seed_gives_the_same_film(settings: Settings) -> None:
    films = [make(settings, backend="wan", max_frames=9, seed=seed) for seed in (5, 5, 6)]
    first, second, other = (pictures(film) for film in films)
    assert first == second
    assert first != other


def test_the_batch_name_gets_the_size_the_film_has(settings: Settings) -> None:
    result = make(settings, width=0, height=50, max_frames=2, batch_name="{seed}_{w}x{h}")
    assert result.folder.parent.name == "3_64x48"


def test_a_drawn_seed_is_written_down(settings: Settings) -> None:
    result = make(settings, seed=-1, max_frames=5)
    seed = load_project(result.settings).settings.seed
    assert seed >= 0
    assert read_plan(result.plan).seed == seed


def test_clips_are_encoded_while_later_ones_are_rendered(settings: Settings) -> None:
    output, seen = Path(settings.output_dir), []

    def report(event: Event) -> None:
        """Hold up the last clip until the first one's frames are written."""
        if (event.kind, event.clip, event.step) != ("step", 2, 1):
            return
        end = time.monotonic() + 20
        while len(list(output.rglob("*_00000000?.png"))) < 7 and time.monotonic() < end:
            time.sleep(0.02)
        seen.append(len(list(output.rglob("*_00000000?.png"))))

    make_film(settings, report, never)
    assert seen
    assert seen[0] >= 7


def test_a_stop_keeps_what_is_finished_and_the_film_goes_on(settings: Settings) -> None:
    wanted = replace(settings, backend="wan", steps="4")
    whole = make_film(wanted, quiet, never)
    report, stopped, events = stop_at("step", clip=1, step=2)
    with pytest.raises(Cancelled):
        make_film(wanted, report, stopped)
    folder = Path(next(event.message for event in events if event.kind == "started"))
    steps = [(event.clip, event.step) for event in events if event.kind == "step"]
    assert steps[-1] == (1, 2), "it stopped within a step"
    assert events[-1].kind == "released"
    (partial,) = folder.glob("*_partial.mp4")
    assert decoded(partial)[0] == 7

    again: list[Event] = []
    resumed = resume_film(folder, again.append, never)
    started = [(event.clip, event.step) for event in again if event.kind == "clip_started"]
    assert started == [(1, 2), (2, 0)], "clip 0 was kept, clip 1 went on at its step"
    assert pictures(resumed) == pictures(whole)
    assert not partial.exists()
    assert not (folder / "clips").exists()


def test_going_on_without_room_for_the_rest_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    report, stopped, events = stop_at("step", clip=1, step=1)
    with pytest.raises(Cancelled):
        make_film(settings, report, stopped)
    folder = Path(next(event.message for event in events if event.kind == "started"))
    monkeypatch.setattr("wan_engine.storage.places.free_bytes", lambda path: 20)
    with pytest.raises(StorageError, match=r"has 0.0 MB free, and \d.* are needed") as caught:
        resume_film(folder, quiet, never)
    assert "then go on with the film" in caught.value.remedy
    monkeypatch.undo()
    assert resume_film(folder, quiet, never).is_there()


def test_a_changed_plan_renders_again_just_what_differs(settings: Settings) -> None:
    result = make(settings, keep_clips=True, continuity="cut")
    plan = json.loads(result.plan.read_text(encoding="utf-8"))
    plan["clips"][1]["prompt"] = "a yellow cross"
    result.plan.write_text(json.dumps(plan), encoding="utf-8")
    events: list[Event] = []
    resume_film(result.folder, events.append, never)
    assert [event.clip for event in events if event.kind == "clip_started"] == [1]


def test_a_film_is_rendered_where_it_is_told_to(settings: Settings) -> None:
    rendered = {"backend": "wan", "max_frames": 5, "prompts": {"0": "a red circle"}, "device": "cuda:7"}
    made = make_film(replace(settings, **rendered), quiet, never, ["cpu"])
    assert read_plan(made.plan).resolved["device"] == "cpu"
    assert load_project(made.settings).settings.device == "cuda:7"
    assert made.film is not None
    made.film.unlink()
    assert resume_film(made.folder, quiet, never, ["cpu"]) == made
    made.film.unlink()
    with pytest.raises(CapabilityError, match="no device"):
        resume_film(made.folder, quiet, never, ["cpu", "cuda:7"])


def test_one_of_several_devices_stands_in_place_of_the_one(settings: Settings) -> None:
    rendered = {"backend": "wan", "max_frames": 5, "prompts": {"0": "a red circle"}, "device": "cuda:7"}
    made = make_film(replace(settings, devices="cpu", **rendered), quiet, never)
    assert read_plan(made.plan).resolved["device"] == "cpu"


def test_a_finished_film_stays_as_it_is(settings: Settings) -> None:
    result = make(settings)
    assert result.film is not None
    before = result.film.stat().st_mtime_ns
    events: list[Event] = []
    assert resume_film(result.folder, events.append, never) == result
    assert events == []
    assert result.film.stat().st_mtime_ns == before
    result.film.unlink()
    resume_film(result.folder, events.append, never)
    assert result.film.is_file()


def test_what_follows_a_changed_clip_is_rendered_again(settings: Settings) -> None:
    result = make(settings, keep_clips=True)
    plan = json.loads(result.plan.read_text(encoding="utf-8"))
    plan["clips"][1]["prompt"] = "a yellow cross"
    result.plan.write_text(json.dumps(plan), encoding="utf-8")
    events: list[Event] = []
    resume_film(result.folder, events.append, never)
    assert [event.clip for event in events if event.kind == "clip_started"] == [1, 2]


def test_a_damaged_clip_is_noticed_and_rendered_again(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    result = make(settings, keep_clips=True)
    clip = result.folder / "clips" / "clip_0001.mkv"
    data = bytearray(clip.read_bytes())
    data[len(data) // 2] ^= 0xFF
    clip.write_bytes(bytes(data))
    assert result.film is not None
    result.film.unlink()
    events: list[Event] = []
    resume_film(result.folder, events.append, never)
    assert [event.clip for event in events if event.kind == "clip_started"] == [1]
    assert "clip 2 is rendered anew, its file has changed" in caplog.text


def test_a_film_is_made_by_one_process_at_a_time(settings: Settings) -> None:
    result = make(settings, keep_clips=True)
    assert result.film is not None
    result.film.unlink()
    with folder_lock(result.folder), pytest.raises(StorageError, match="another process"):
        resume_film(result.folder, quiet, never)


def test_pictures_are_started_from_and_arrived_at(settings: Settings, tmp_path: Path) -> None:
    for name, colour in (("first", "red"), ("middle", "green"), ("last", "blue")):
        Image.new("RGB", (100, 80), colour).save(tmp_path / f"{name}.png")
    guided = {"12": str(tmp_path / "middle.png")}
    images = {"init_image": str(tmp_path / "first.png"), "end_image": str(tmp_path / "last.png")}
    result = make(settings, backend="wan", guided_images=guided, **images)
    plan = read_plan(result.plan)
    assert [(clip.start, clip.end, clip.mode) for clip in plan.clips] == [
        (0, 7, "i2v"),
        (7, 12, "flf2v"),
        (12, 20, "i2v"),
        (20, 30, "flf2v"),
    ]
    assert plan.clips[-1].arrives == 29
    assert len(pictures(result)) == 30


def test_a_film_is_continued(settings: Settings, tmp_path: Path) -> None:
    first = make(settings, max_frames=5)
    second = make(settings, backend="wan", max_frames=5, init_video=str(first.film))
    assert read_plan(second.plan).clips[0].mode == "i2v"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"soundtrack": "nowhere.mp3"}, MediaError, "nowhere.mp3"),
        ({"init_image": "nowhere.png"}, InputError, "nowhere.png"),
        ({"model": "nowhere"}, ModelError, "nowhere"),
        ({"prompts": {}}, InputError, "prompts"),
        ({"encoder": "nvenc"}, MediaError, "encoder"),
        ({"device": "cuda:7", "backend": "wan"}, CapabilityError, "cuda:7"),
    ],
)
def test_bad_input_is_an_error_before_anything_is_made(
    settings: Settings, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make(settings, **changes)
    assert not list(Path(settings.output_dir).rglob("*_plan.json"))


def test_a_picture_that_is_none_is_an_error_before_anything_is_made(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(MediaError, match=r"text\.png"):
        make(settings, init_image=str(tmp_path / "text.png"))
    assert not Path(settings.output_dir).exists()


def test_a_folder_without_a_film_is_an_error(tmp_path: Path) -> None:
    with pytest.raises((InputError, StorageError), match=str(tmp_path)):
        resume_film(tmp_path, quiet, never)


def test_a_plan_needs_no_output_folder(settings: Settings) -> None:
    assert plan_film(settings).frames == 30
    assert not Path(settings.output_dir).exists()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(settings: Settings) -> None:
    """10 000 frames through the whole engine: what it holds at the end is what it held after the first tenth."""
    process, sizes = psutil.Process(), []

    def report(event: Event) -> None:
        if event.kind == "clip_done":
            sizes.append(process.memory_info().rss)

    prompts = {str(frame): f"prompt {frame}" for frame in range(0, 10_000, 100)}
    result = make_film(
        replace(settings, prompts=prompts, max_frames=10_000, fps="16", save_frames=False, preset="ultrafast"),
        report,
        never,
    )
    assert result.film is not None
    assert decoded(result.film)[0] == 10_000
    tenth = max(sizes[: len(sizes) // 10])
    assert max(sizes) - tenth < 60 * 2**20
