"""The soundtrack lies where it was asked to and never changes the film's length."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from wan_engine.errors import MediaError
from wan_engine.media.probe import probe
from wan_engine.media.sound import SAMPLE_RATE, check_soundtrack
from wan_engine.media.tools import find_ffmpeg

TOLERANCE = 0.03
"""Seconds; AAC works in blocks of 1024 samples, 21 ms."""

MakeFilm = Callable[..., Path]
MakeSound = Callable[..., Path]


def decoded_sound(path: Path) -> npt.NDArray[np.float32]:
    """The film's sound as a player places it: one value a sample from film second 0."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        pieces = []
        for frame in container.decode(stream):
            assert frame.pts is not None
            assert frame.time_base is not None
            start = round(frame.pts * frame.time_base * SAMPLE_RATE)
            pieces.append((start, frame.to_ndarray()[0]))
    sound = np.zeros(max(start + len(piece) for start, piece in pieces), np.float32)
    for start, piece in pieces:
        skip = max(0, -start)
        sound[start + skip : start + len(piece)] = piece[skip:]
    return sound


def heard(path: Path) -> tuple[float, float]:
    """First and last second at which something is heard."""
    loud = np.flatnonzero(np.abs(decoded_sound(path)) > 0.1)
    return float(loud[0] / SAMPLE_RATE), float(loud[-1] / SAMPLE_RATE)


@pytest.mark.parametrize(
    ("offset", "sound_seconds", "first", "last"),
    [
        (0.0, 5.0, 0.0, 2.0),
        (0.0, 1.0, 0.0, 1.0),
        (0.75, 5.0, 0.75, 2.0),
        (0.75, 0.5, 0.75, 1.25),
        (-0.4, 1.0, 0.0, 0.6),
        (-0.4, 5.0, 0.0, 2.0),
    ],
)
def test_offsets(
    make_film: MakeFilm,
    make_sound: MakeSound,
    each_ffmpeg: str,
    offset: float,
    sound_seconds: float,
    first: float,
    last: float,
) -> None:
    film = make_film(32, soundtrack=make_sound(sound_seconds), soundtrack_offset=offset)
    start, end = heard(film)
    assert start == pytest.approx(first, abs=TOLERANCE)
    assert end == pytest.approx(last, abs=TOLERANCE)
    info = probe(film)
    assert info.frames == 32
    assert info.duration == pytest.approx(2.0, abs=0.01)


def test_negative_offset_leaves_out_the_beginning(make_film: MakeFilm, make_sound: MakeSound) -> None:
    """A sound that is silent for a second and then loud is loud from the start when that second is left out."""
    sound = make_sound(3.0, silent=1.0)
    assert heard(make_film(32, soundtrack=sound))[0] == pytest.approx(1.0, abs=TOLERANCE)
    assert heard(make_film(32, soundtrack=sound, soundtrack_offset=-0.7))[0] == pytest.approx(0.3, abs=TOLERANCE)


def test_offset_after_the_end_gives_a_silent_film(make_film: MakeFilm, make_sound: MakeSound) -> None:
    film = make_film(16, soundtrack=make_sound(1.0), soundtrack_offset=20.0)
    assert np.abs(decoded_sound(film)).max() < 0.01
    assert probe(film).frames == 16


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.m4a", "a.mkv", "-y.wav"])
def test_kinds_of_sound(tmp_path: Path, make_film: MakeFilm, make_sound: MakeSound, name: str) -> None:
    subprocess.run([find_ffmpeg().path, "-v", "error", "-i", make_sound(1.0), f"file:{tmp_path / name}"], check=True)
    film = make_film(32, soundtrack=tmp_path / name, soundtrack_offset=0.5)
    start, end = heard(film)
    assert start == pytest.approx(0.5, abs=0.06)  # mp3 and others begin with up to 50 ms of padding
    assert end == pytest.approx(1.5, abs=0.06)


def test_sound_of_a_film(make_film: MakeFilm, make_sound: MakeSound) -> None:
    other = make_film(16, name="other.mp4", soundtrack=make_sound(1.0))
    assert heard(make_film(32, soundtrack=other))[1] == pytest.approx(1.0, abs=TOLERANCE)


def test_sound_that_begins_later_than_its_file(tmp_path: Path, make_film: MakeFilm, make_sound: MakeSound) -> None:
    late = make_film(32, name="late.mp4", soundtrack=make_sound(1.0))
    command = [find_ffmpeg().path, "-v", "error", "-i", late, "-itsoffset", "0.6", "-i", late]
    command += ["-map", "0:v", "-map", "1:a", "-c", "copy", tmp_path / "shifted.mkv"]
    subprocess.run(command, check=True)
    assert heard(make_film(32, soundtrack=tmp_path / "shifted.mkv"))[0] == pytest.approx(0.6, abs=TOLERANCE)


def test_check_accepts_sound(make_sound: MakeSound) -> None:
    check_soundtrack(make_sound(1.0))
    check_soundtrack(make_sound(1.0), -0.9)


def test_check_refuses(tmp_path: Path, make_film: MakeFilm, make_sound: MakeSound) -> None:
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "list.mp3").write_text(f"ffconcat version 1.0\nfile '{make_sound(1.0)}'\n")
    for path, offset, words in [
        (tmp_path / "none.wav", 0.0, "is not there"),
        (tmp_path, 0.0, "is not there"),
        (tmp_path / "text.wav", 0.0, "cannot be read"),
        (tmp_path / "list.mp3", 0.0, "cannot be read"),
        (make_film(3), 0.0, "holds no sound"),
        (make_sound(1.0), -1.0, "leaves nothing"),
    ]:
        with pytest.raises(MediaError, match=words) as caught:
            check_soundtrack(path, offset)
        assert caught.value.remedy
        with pytest.raises(MediaError, match=words):
            make_film(3, name="never.mp4", soundtrack=path, soundtrack_offset=offset)
        assert not (tmp_path / "never.mp4").exists()


def test_length_of_odd_rates(make_film: MakeFilm, make_sound: MakeSound) -> None:
    film = make_film(25, fps=Fraction(24000, 1001), soundtrack=make_sound(3.0))
    assert heard(film)[1] == pytest.approx(25 * 1001 / 24000, abs=TOLERANCE)
    assert probe(film).fps == Fraction(24000, 1001)
