"""kill -9 and a full disk while a film is split: gone on with, the files are those of a split left in peace."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from coded_films import CodedFilm, constant, read_numbers, write_coded_film
from small_disk import small_disk
from wan_engine.errors import StorageError
from wan_engine.settings_split import SplitSettings
from wan_engine.tools.scenes.film_work import FilmSplit, SplitOrder
from wan_engine.tools.scenes.scene_list import SceneList, read_list
from wan_engine.tools.scenes.split import split_films

__all__ = ["small_disk"]

ROOT = Path(__file__).resolve().parents[3]
FRAMES = 1200
FLAGS = ("--detector", "content", "--height", "0", "--preset", "medium")


def start(film: Path, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-m", "wan_engine", "split", str(film), "--output-dir", str(folder), "--resume", *FLAGS]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_when(process: subprocess.Popen[bytes], there: Callable[[], bool], seconds: float) -> bool:
    """Kill it some time after something is there; False if it had ended before."""
    while process.poll() is None and not there():
        time.sleep(0.005)
    time.sleep(seconds)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return not ended


def listed(folder: Path) -> SceneList:
    found = read_list(folder / "scenes-film.json")
    assert found is not None
    return found


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_killed_split_is_gone_on_with(tmp_path: Path) -> None:
    film = write_coded_film(CodedFilm(tmp_path / "film.mp4", constant(FRAMES, Fraction(24)), tracks=0, scene=100))
    assert start(film, tmp_path / "peace").wait() == 0
    wanted = listed(tmp_path / "peace")
    assert len(wanted.scenes) > 5, "too few scenes to be killed between them"
    folder = tmp_path / "killed"
    seed = random.randrange(1000)
    moments = random.Random(seed)

    def cut() -> int:
        return len(finished(folder))

    finding = kill_when(start(film, folder), lambda: folder.is_dir(), 0.02)
    assert finding, "the split was over before it was killed"
    assert not (folder / "scenes-film.npz").exists()
    states = set()
    for _ in range(4):
        before = cut()
        if kill_when(start(film, folder), lambda before=before: cut() > before, moments.uniform(0, 0.1)):  # type: ignore[misc]
            states.add(cut())
        for path in finished(folder):
            check(path, wanted)
    assert len(states) > 1, f"every kill came at the same place, seed {seed}"
    assert start(film, folder).wait() == 0
    assert listed(folder).scenes == wanted.scenes
    names = {each.file for each in wanted.scenes}
    assert {path.name for path in folder.glob("video-*")} == names
    assert {path.name for path in folder.iterdir()} == {path.name for path in (tmp_path / "peace").iterdir()}
    for path in folder.glob("video-*.mp4"):
        check(path, wanted)


def finished(folder: Path) -> list[Path]:
    """The scene files under their own names; one that is not whole yet has another."""
    return [path for path in folder.glob("video-*.mp4") if ".part" not in path.name]


def check(path: Path, wanted: SceneList) -> None:
    """The file holds its scene's frames, all of them and no other."""
    (scene,) = [each for each in wanted.scenes if each.file == path.name]
    assert read_numbers(path)[0] == list(range(scene.start, scene.end)), path.name


@pytest.mark.slow
def test_a_full_disk_stops_a_split_that_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    film = write_coded_film(CodedFilm(tmp_path / "film.mp4", constant(400, Fraction(24)), tracks=0, scene=100))
    settings = SplitSettings(detector="content", height=0, preset="ultrafast", crf=0)

    def split(folder: Path) -> FilmSplit:
        order = SplitOrder((film,), replace(settings, output_dir=str(folder)), resume=True)
        return split_films(order, lambda event: None, lambda: False).films[0]

    split(tmp_path / "peace")
    sizes = [path.stat().st_size for path in finished(tmp_path / "peace")]
    filler = small_disk / "other.bin"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - sum(sizes) // 2))
    for _ in range(2):
        with pytest.raises(StorageError, match="No space left") as caught:
            split(small_disk)
        assert "free some space" in caught.value.remedy
    there = finished(small_disk)
    assert len(there) < len(sizes)
    filler.unlink()
    made = split(small_disk)
    assert made.made == len(sizes) - len(there)
    wanted = listed(small_disk)
    for path in finished(small_disk):
        check(path, wanted)
    assert len(finished(small_disk)) == made.scenes == len(sizes)
