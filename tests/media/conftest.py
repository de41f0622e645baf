"""Films, sounds and pictures made on the spot, and the ffmpegs to try them with."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wan_engine.media.encode import EncodeOptions, FilmEncoder
from wan_engine.media.picture import Picture

SOUND_RATE = 44_100


NUMBERS = 4096
"""Frame numbers are drawn as twelve bits, so they start over after this many."""


def numbered(count: int, width: int = 64, height: int = 48) -> Iterator[Picture]:
    """Frames that can be told apart after lossy coding: the number as twelve black or white bars on orange."""
    for number in range(count):
        frame = np.empty((height, width, 3), np.uint8)
        frame[:] = (200, 60, 30)
        for bit in range(12):
            frame[8:-8, 8 + 4 * bit : 12 + 4 * bit] = 235 if (number >> bit) & 1 else 20
        yield frame


def number_in(frame: Picture) -> int:
    """The number that `numbered` drew."""
    rows = slice(frame.shape[0] // 2 - 4, frame.shape[0] // 2 + 4)
    bars = [frame[rows, 9 + 4 * bit : 11 + 4 * bit].mean() for bit in range(12)]
    return sum(1 << bit for bit, level in enumerate(bars) if level > 128)


@pytest.fixture
def frames() -> Callable[..., Iterator[Picture]]:
    return numbered


@pytest.fixture
def frame_number() -> Callable[[Picture], int]:
    return number_in


@pytest.fixture
def make_film(tmp_path: Path) -> Callable[..., Path]:
    """Encodes numbered frames: make_film(count, name=..., **options)."""

    def make(count: int, name: str = "film.mp4", **changed: Any) -> Path:
        options = {"width": 64, "height": 48, "fps": Fraction(16), "preset": "veryfast", **changed}
        film = EncodeOptions(path=tmp_path / name, frames=count, **options)
        with FilmEncoder(film) as encoder:
            for frame in numbered(count, film.width, film.height):
                encoder.write(frame)
        return film.path

    return make


@pytest.fixture
def make_sound(tmp_path: Path) -> Callable[..., Path]:
    """A WAV file with a steady tone: make_sound(seconds, name=..., silent=...); `silent` seconds come first."""

    def make(seconds: float, name: str = "sound.wav", silent: float = 0.0) -> Path:
        time = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
        tone = np.where(time < silent, 0.0, np.sin(2 * np.pi * 440 * time))
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(SOUND_RATE)
            file.writeframes(np.repeat((tone * 20_000).astype("<i2")[:, None], 2, axis=1).tobytes())
        return tmp_path / name

    return make


@pytest.fixture(params=["embedded", "system"])
def each_ffmpeg(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs the test with the embedded ffmpeg and again with the system's, where there is one."""
    if request.param == "system":
        system = shutil.which("ffmpeg")
        if system is None:
            pytest.skip("no system ffmpeg here")
        monkeypatch.setenv("WAN_FFMPEG", system)
    else:
        import imageio_ffmpeg

        monkeypatch.setenv("WAN_FFMPEG", imageio_ffmpeg.get_ffmpeg_exe())
    return str(request.param)
