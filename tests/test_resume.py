"""kill -9 at random moments: the resumed film's frames are those of the film that was never stopped."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = """
kind: schedule
version: 1
prompts: {"0": "a red circle --neg blur", "10": "a blue square", "20": "a green triangle"}
max_frames: 30
fps: 16
width: 64
height: 64
steps: 8
guidance_scale: "0: (3), 29: (5)"
sampler: "0: (unipc), 10: (euler), 20: (unipc)"
seed: 7
batch_name: killed
save_frames: true
"""


def start_engine(arguments: list[str]) -> subprocess.Popen[str]:
    """The command line as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "wan_engine", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


def frames_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*_0*.png"))]


def until_clip(process: subprocess.Popen[str], least: int) -> None:
    """Wait until this clip, from 1, or a later one is begun or taken up again; or until the process ends."""
    assert process.stdout is not None
    for line in process.stdout:
        found = re.match(r"Clip (\d) of 3:? (begins|goes on)", line)
        if found and int(found[1]) >= least:
            break


def kill_after(process: subprocess.Popen[str], clip: int, seconds: float) -> bool:
    """Kill -9 some time after this clip was begun or taken up again; False if the process was done before."""
    until_clip(process, clip)
    time.sleep(seconds)
    done = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    return not done


@dataclass(frozen=True)
class Whole:
    """The film rendered in one go. clip_seconds: what its second clip took on this machine."""

    frames: list[bytes]
    clip_seconds: float


@pytest.fixture(scope="module")
def whole_film(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "film.yaml").write_text(PROJECT, encoding="utf-8")
    process = start_engine(["render", str(folder / "film.yaml"), "--output-dir", str(folder), "--plain"])
    until_clip(process, 2)
    begun = time.monotonic()
    until_clip(process, 3)
    seconds = time.monotonic() - begun
    finish(process)
    (film,) = (folder / "killed").iterdir()
    frames = frames_of(film)
    assert len(frames) == 30
    return Whole(frames, seconds)


def survives_kills(kills: int, tmp_path: Path, whole: Whole) -> None:
    """Render a film, killed `kills` times on the way, and compare it with the one rendered whole.

    The kills come in the first, the second and the third clip, at moments that go by what a clip takes here.
    """
    seed = random.randrange(1000)
    moments = random.Random(seed)
    project = tmp_path / "film.yaml"
    project.write_text(PROJECT, encoding="utf-8")
    arguments = ["render", str(project), "--output-dir", str(tmp_path), "--plain"]
    killed, found = 0, set()
    for number in range(kills):
        process = start_engine(arguments)
        killed += kill_after(process, 1 + 3 * number // kills, whole.clip_seconds * moments.random())
        (film,) = (tmp_path / "killed").iterdir()
        found.add(tuple(sorted(path.name for path in film.rglob("clip_*"))))
        arguments = ["render", "--resume", str(film), "--plain"]
    finish(start_engine(arguments))
    assert killed, "no kill came in time: the test has shown nothing"
    assert len(found) > 1, f"every kill came at the same place: {found}"
    assert frames_of(film) == whole.frames, f"kill moments from seed {seed}"
    assert not list(film.glob("*.part*")), "half a file was left"


@pytest.mark.timeout(900)
def test_a_film_survives_being_killed(tmp_path: Path, whole_film: Whole) -> None:
    survives_kills(4, tmp_path, whole_film)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_film_survives_being_killed_twenty_times(tmp_path: Path, whole_film: Whole) -> None:
    survives_kills(20, tmp_path, whole_film)
