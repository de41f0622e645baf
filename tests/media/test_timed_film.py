"""Films with times of their own: what is written at a time is read at that time, and only whole films appear."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from coded_films import CodedFilm, constant, number_of, varying, write_coded_film
from wan_engine.errors import MediaError
from wan_engine.media.film_frames import film_frames, film_times
from wan_engine.media.frame_times import FrameTimes
from wan_engine.media.probe import every_frame
from wan_engine.media.timed_film import TimedFilm, TimedOptions, check_coding, colour_tags


@dataclass(frozen=True)
class Lossless:
    codec: str = "h264"
    encoder: str = "software"
    crf: int = 0
    preset: str = "ultrafast"
    pixel_format: str = "yuv444p"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    return write_coded_film(CodedFilm(path, varying(70), extra={"bf": "2", "g": "20", "preset": "veryfast"}))


@pytest.fixture(scope="module")
def times(film: Path) -> FrameTimes:
    return film_times(film)


def options(film: Path, times: FrameTimes, target: Path, quality: Lossless | None = None) -> TimedOptions:
    return TimedOptions(target, film, times, colour_tags(film), 208, 112, quality or Lossless())


@pytest.mark.parametrize(("start", "end"), [(0, 5), (19, 22), (33, 70), (69, 70)])
def test_a_stretch_of_a_film_is_its_own_frames(film: Path, times: FrameTimes, start: int, end: int) -> None:
    assert [number_of(frame) for frame in film_frames(film, times, start, end)] == list(range(start, end))


def test_a_film_without_an_index_is_read_too(tmp_path: Path) -> None:
    path = write_coded_film(CodedFilm(tmp_path / "film.ts", constant(60, Fraction(25))))
    times = film_times(path)
    assert [number_of(frame) for frame in film_frames(path, times, 40, 45)] == list(range(40, 45))


def test_a_search_that_ends_too_late_begins_further_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport stream has no index: a search ends behind the key frame that is needed. It is not read whole."""
    extra = {"bf": "2", "g": "25", "preset": "ultrafast"}
    path = write_coded_film(CodedFilm(tmp_path / "film.ts", constant(250, Fraction(25)), tracks=0, extra=extra))
    times = film_times(path)
    decoded: list[int] = []
    nearest = FrameTimes.nearest
    monkeypatch.setattr(FrameTimes, "nearest", lambda times, at: decoded.append(nearest(times, at)) or decoded[-1])
    assert number_of(next(film_frames(path, times, 240, 241))) == 240
    assert len(decoded) < 100


def test_frames_that_the_film_has_not_are_an_error(film: Path, times: FrameTimes) -> None:
    longer = FrameTimes(np.append(times.ticks, times.ticks[-1] + 50), times.tick)
    with pytest.raises(MediaError, match="does not give its frame 70"):
        list(film_frames(film, longer, 65, 71))


def test_frames_come_back_at_their_times(film: Path, times: FrameTimes, tmp_path: Path) -> None:
    seen: list[int] = []
    assert film_times(film, seen.append).tick == times.tick
    assert seen[-1] == 70
    with TimedFilm(options(film, times, tmp_path / "made.mp4")) as made:
        for frame in every_frame(film):
            made.write(frame)
    again = film_times(tmp_path / "made.mp4")
    assert len(again) == 70
    assert max(abs(float(again.seconds(n) - times.seconds(n))) for n in range(70)) < 1e-4


def test_a_film_that_lacks_frames_does_not_appear(film: Path, times: FrameTimes, tmp_path: Path) -> None:
    frame = next(every_frame(film))
    made = TimedFilm(options(film, times, tmp_path / "made.mp4"))
    with pytest.raises(ValueError, match="is not"):
        made.write(frame[:50])
    made.write(frame)
    with pytest.raises(MediaError, match="1 of its 70 frames"):
        made.close()
    with TimedFilm(options(film, times, tmp_path / "made.mp4")) as made:
        made.write(frame)
        made.abort()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_encoded_is_told_before(film: Path) -> None:
    assert check_coding(Lossless(), 207, 111) == "libx264"
    with pytest.raises(MediaError, match="even sizes"):
        check_coding(Lossless(pixel_format="yuv420p"), 207, 112)
    with pytest.raises(MediaError, match="cannot be encoded here"):
        check_coding(Lossless(encoder="nvenc"), 4, 4)


def test_sound_that_an_mp4_cannot_hold_becomes_aac(film: Path, tmp_path: Path) -> None:
    import av

    from wan_engine.media.tools import find_ffmpeg, run_ffmpeg

    other = tmp_path / "other.mkv"
    run_ffmpeg(find_ffmpeg(), ["-i", str(film), "-c:v", "copy", "-c:a", "libvorbis", "-ac", "2", str(other)])
    times = film_times(other)
    with TimedFilm(options(other, times, tmp_path / "made.mp4")) as made:
        for frame in every_frame(other):
            made.write(frame)
    with av.open(str(tmp_path / "made.mp4")) as opened:
        assert opened.streams.audio[0].codec_context.name == "aac"
