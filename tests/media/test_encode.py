"""What was encoded, read back: frames, rate, colours, losslessness; and what happens when it fails."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from wan_engine.errors import MediaError, StorageError
from wan_engine.media.encode import EncodeOptions, FilmEncoder, FrameSaver, check_encoding, write_gif
from wan_engine.media.picture import Picture
from wan_engine.media.pictures import read_picture
from wan_engine.media.probe import last_frame, probe
from wan_engine.media.tools import find_ffmpeg, try_encoder
from wan_engine.storage.places import FilmPlaces

Frames = Callable[..., Iterator[Picture]]
MakeFilm = Callable[..., Path]
Number = Callable[[Picture], int]


def options_for(path: Path, frames: int = 3, **changed: Any) -> EncodeOptions:
    usual = {"width": 64, "height": 48, "fps": Fraction(16), "preset": "veryfast"}
    return EncodeOptions(path=path, frames=frames, **{**usual, **changed})


def decoded(path: Path, how: str = "rgb24") -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=how) for frame in container.decode(video=0)]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_frames_rate_and_format(
    make_film: MakeFilm, frame_number: Number, each_ffmpeg: str, codec: str, pixel_format: str
) -> None:
    film = make_film(45, codec=codec, pixel_format=pixel_format, fps=Fraction(30000, 1001), encoder="software")
    assert [frame_number(frame) for frame in decoded(film)] == list(range(45))
    info = probe(film)
    assert (info.fps, info.frames, info.codec) == (Fraction(30000, 1001), 45, codec)
    assert info.duration == pytest.approx(45 * 1001 / 30000, abs=0.002)
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.pix_fmt == pixel_format
        assert stream.codec_context.codec_tag == {"h264": "avc1", "hevc": "hvc1"}[codec]
        frame = next(container.decode(stream))
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)


@pytest.mark.parametrize("fps", ["1", "12.5", "16", "24000/1001", "59.94", "240"])
def test_rates_are_exact(make_film: MakeFilm, fps: str) -> None:
    film = make_film(9, fps=Fraction(fps))
    assert probe(film).fps == Fraction(fps)
    assert probe(film).frames == 9


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_colours_come_back(tmp_path: Path, each_ffmpeg: str, pixel_format: str) -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 60, 30)]
    picture = np.repeat(np.array([colours], np.uint8), 16, axis=1).repeat(48, axis=0)
    options = options_for(tmp_path / "a.mp4", 1, width=16 * len(colours), crf=1, pixel_format=pixel_format)
    with FilmEncoder(options) as film:
        film.write(picture)
    found = last_frame(options.path)[24, 8::16].astype(int)
    assert np.abs(found - colours).max() <= 3


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_crf_0_is_lossless(tmp_path: Path, each_ffmpeg: str, pixel_format: str) -> None:
    """Two codecs that lose nothing end in the same planes; noise is what lossy coding cannot keep."""
    noise = [np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8) for seed in range(6)]
    planes = {}
    for codec in ("h264", "hevc"):
        options = options_for(tmp_path / f"{codec}.mp4", 6, codec=codec, crf=0, pixel_format=pixel_format)
        with FilmEncoder(options) as film:
            for frame in noise:
                film.write(frame)
        planes[codec] = decoded(options.path, pixel_format)
    assert all(np.array_equal(one, other) for one, other in zip(planes["h264"], planes["hevc"], strict=True))


def test_quality_follows_crf(tmp_path: Path) -> None:
    noise = [np.random.default_rng(seed).integers(0, 256, (96, 128, 3), dtype=np.uint8) for seed in range(8)]
    sizes = []
    for crf in (0, 17, 30, 51):
        options = options_for(tmp_path / f"{crf}.mp4", 8, width=128, height=96, crf=crf)
        with FilmEncoder(options) as film:
            for frame in noise:
                film.write(frame)
        sizes.append(options.path.stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 5 * sizes[-1]


def test_index_lies_in_front(make_film: MakeFilm) -> None:
    content = make_film(9).read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


def test_frame_that_is_a_view(tmp_path: Path, frames: Frames, frame_number: Number) -> None:
    with FilmEncoder(options_for(tmp_path / "a.mp4", 4)) as film:
        for frame in frames(4, 80, 48):
            film.write(frame[:, :64])
    assert [frame_number(frame) for frame in decoded(tmp_path / "a.mp4")] == [0, 1, 2, 3]


def test_long_film_keeps_memory_flat(tmp_path: Path, frames: Frames, make_sound: Callable[..., Path]) -> None:
    """10 000 frames: neither this process nor ffmpeg grows after the first tenth."""
    count = 10_000
    options = options_for(tmp_path / "a.mp4", count, soundtrack=make_sound(30.0), preset="ultrafast")
    us, seen = psutil.Process(), []
    source = list(frames(50))
    with FilmEncoder(options) as film:
        (ffmpeg,) = (child for child in us.children() if "ffmpeg" in child.name())
        for number in range(count):
            film.write(source[number % 50])
            if number in (count // 10, count - 1):
                seen.append((us.memory_info().rss, ffmpeg.memory_info().rss))
    (us_early, ffmpeg_early), (us_late, ffmpeg_late) = seen
    one_percent_of_the_film = count * 64 * 48 * 3 // 100
    assert us_late - us_early < 8 * one_percent_of_the_film
    assert ffmpeg_late - ffmpeg_early < 40 * one_percent_of_the_film
    assert probe(options.path).frames == count


def test_nothing_appears_before_the_end(tmp_path: Path, frames: Frames) -> None:
    with FilmEncoder(options_for(tmp_path / "a.mp4")) as film:
        for frame in frames(3):
            film.write(frame)
        assert not (tmp_path / "a.mp4").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_exception_leaves_the_old_film(tmp_path: Path, frames: Frames) -> None:
    (tmp_path / "a.mp4").write_bytes(b"old")
    film = FilmEncoder(options_for(tmp_path / "a.mp4"))
    film.write(next(frames(1)))
    with pytest.raises(RuntimeError, match="stopped"), film:
        raise RuntimeError("stopped")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("written", [0, 2])
def test_missing_frames_are_an_error(tmp_path: Path, frames: Frames, written: int) -> None:
    film = FilmEncoder(options_for(tmp_path / "a.mp4"))
    for frame in frames(written):
        film.write(frame)
    with pytest.raises(MediaError, match=f"got {written} of its 3"):
        film.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("with_sound", [False, True])
def test_film_that_ends_early(
    tmp_path: Path, frames: Frames, frame_number: Number, make_sound: Callable[..., Path], with_sound: bool
) -> None:
    """The frames that are there, and no sound beyond them."""
    sound = make_sound(20.0) if with_sound else None
    for written in (1, 2, 23):
        film = FilmEncoder(options_for(tmp_path / "a.mp4", 160, soundtrack=sound, preset="slow"))
        for frame in frames(written):
            film.write(frame)
        film.close_early(tmp_path / "part.mp4")
        assert {path.name for path in tmp_path.glob("*.mp4")} == {"part.mp4"}
        assert [frame_number(frame) for frame in decoded(tmp_path / "part.mp4")] == list(range(written))
        with av.open(str(tmp_path / "part.mp4")) as container:
            assert container.duration is not None
            assert container.duration / 1e6 == pytest.approx(written / 16, abs=0.03)


def test_film_that_ends_before_it_begins(tmp_path: Path) -> None:
    FilmEncoder(options_for(tmp_path / "a.mp4", 9)).close_early(tmp_path / "part.mp4")
    assert not list(tmp_path.iterdir())


def test_wrong_frames_are_refused(tmp_path: Path) -> None:
    film = FilmEncoder(options_for(tmp_path / "a.mp4"))
    for frame in (np.zeros((48, 48, 3), np.uint8), np.zeros((48, 64, 3), np.float32)):
        with pytest.raises(ValueError, match="is not"):
            film.write(frame)
    film.abort()


@pytest.mark.parametrize(
    ("changed", "words", "remedy"),
    [
        ({"width": 63}, "63x48", "even"),
        ({"height": 47, "pixel_format": "yuv420p10le"}, "64x47", "even"),
        ({"fps": Fraction("23.97123456")}, "exactly", "fps"),
        ({"soundtrack": Path("none.wav")}, "none.wav", "path"),
    ],
)
def test_what_cannot_be_is_told_before(tmp_path: Path, changed: dict[str, Any], words: str, remedy: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        check_encoding(options_for(tmp_path / "a.mp4", **changed))
    assert remedy in caught.value.remedy
    assert not list(tmp_path.iterdir())


def test_odd_sizes_in_full_colour(tmp_path: Path) -> None:
    options = options_for(tmp_path / "a.mp4", 1, width=63, height=47, pixel_format="yuv444p")
    with FilmEncoder(options) as film:
        film.write(np.zeros((47, 63, 3), np.uint8))
    assert (probe(options.path).width, probe(options.path).height) == (63, 47)


def test_encoder_choice(tmp_path: Path) -> None:
    works = not try_encoder(find_ffmpeg(), "h264_nvenc", "yuv420p", 256, 256)
    sizes = {"width": 256, "height": 256}
    assert check_encoding(options_for(tmp_path / "a.mp4", encoder="software", **sizes)) == "libx264"
    assert check_encoding(options_for(tmp_path / "a.mp4", **sizes)) == ("h264_nvenc" if works else "libx264")
    if works:
        assert check_encoding(options_for(tmp_path / "a.mp4", encoder="nvenc", **sizes)) == "h264_nvenc"
    else:
        with pytest.raises(MediaError, match="h264_nvenc") as caught:
            check_encoding(options_for(tmp_path / "a.mp4", encoder="nvenc", **sizes))
        assert "software" in caught.value.remedy


@pytest.mark.parametrize("moment", [0, 40])
def test_killed_ffmpeg_is_an_error_and_no_hang(tmp_path: Path, frames: Frames, moment: int) -> None:
    film = FilmEncoder(options_for(tmp_path / "a.mp4", 100_000, width=640, height=480))
    frame = next(frames(1, 640, 480))

    def write_on() -> None:
        for number in range(100_000):
            if number == moment:
                (child,) = (child for child in psutil.Process().children() if "ffmpeg" in child.name())
                child.kill()
            film.write(frame)

    with pytest.raises(MediaError, match="ffmpeg failed"):
        write_on()
    film.abort()
    assert not list(tmp_path.iterdir())


def test_killed_ffmpeg_is_noticed_at_the_end(tmp_path: Path, frames: Frames) -> None:
    film = FilmEncoder(options_for(tmp_path / "a.mp4", 3))
    for frame in frames(3):
        film.write(frame)
    (child,) = (child for child in psutil.Process().children() if "ffmpeg" in child.name())
    child.kill()
    with pytest.raises(MediaError, match="ffmpeg failed"):
        film.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="needs SIGSTOP")
def test_abort_from_another_thread_ends_a_waiting_write(tmp_path: Path, frames: Frames) -> None:
    film = FilmEncoder(options_for(tmp_path / "a.mp4", 100, width=640, height=480))
    (child,) = (child for child in psutil.Process().children() if "ffmpeg" in child.name())
    child.send_signal(signal.SIGSTOP)
    errors: list[Exception] = []

    def write_on() -> None:
        try:
            for frame in frames(100, 640, 480):
                film.write(frame)
        except MediaError as error:
            errors.append(error)

    thread = threading.Thread(target=write_on)
    thread.start()
    time.sleep(0.3)
    assert thread.is_alive()
    film.abort()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert len(errors) == 1
    assert not list(tmp_path.iterdir())


def test_folder_that_is_not_there(tmp_path: Path, frames: Frames) -> None:
    film = FilmEncoder(options_for(tmp_path / "gone" / "a.mp4", 2000))

    def write_all() -> None:
        for frame in frames(2000):
            film.write(frame)
        film.close()

    with pytest.raises(MediaError, match="No such file"):
        write_all()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(tmp_path: Path) -> None:
    """/dev/full answers every write with "no space left", as a full disk does."""
    (tmp_path / "full").symlink_to("/dev/full")
    from wan_engine.media.pipe import FramePipe

    options = options_for(tmp_path / "a.mp4", 300)
    pipe = FramePipe(find_ffmpeg(), options.format, ["-c:v", "ffv1", "-f", "matroska", f"file:{tmp_path / 'full'}"])
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)

    def write_all() -> None:
        for _ in range(300):
            pipe.write(noise)
        pipe.finish()

    with pytest.raises(MediaError, match="No space left") as caught:
        write_all()
    assert "Free some space" in caught.value.remedy


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["-y.mp4", "http:a.mp4", "a%03d.mp4", "ein Bär; rm -rf.mp4"])
def test_odd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: Frames, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with FilmEncoder(options_for(Path(name), 3)) as film:
        for frame in frames(3):
            film.write(frame)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("fps", "expected"), [("10", 24), ("16", 24), ("25", 24), ("50", 24), ("100", 12)])
def test_gif(tmp_path: Path, frames: Frames, frame_number: Number, each_ffmpeg: str, fps: str, expected: int) -> None:
    asked = []

    def fresh() -> Iterator[Picture]:
        asked.append(1)
        return frames(24)

    write_gif(tmp_path / "a.gif", fresh, Fraction(fps))
    assert len(asked) == 2
    found = [frame_number(frame) for frame in decoded(tmp_path / "a.gif")]
    assert len(found) == expected
    assert found == sorted(found)
    if expected == 24:
        assert found == list(range(24))
    assert probe(tmp_path / "a.gif").duration == pytest.approx(24 / Fraction(fps), abs=0.05)
    assert (tmp_path / "a.gif").read_bytes().find(b"NETSCAPE2.0") > 0  # it repeats for ever
    assert np.abs(decoded(tmp_path / "a.gif")[5][2, 2].astype(int) - (200, 60, 30)).max() <= 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_gif_whose_frames_fail(tmp_path: Path, frames: Frames) -> None:
    def failing() -> Iterator[Picture]:
        yield from frames(3)
        raise MediaError("the clip is damaged", "Render it again")

    with pytest.raises(MediaError, match="the clip is damaged"):
        write_gif(tmp_path / "a.gif", failing, Fraction(16))
    assert not list(tmp_path.iterdir())


def test_gif_without_frames(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        write_gif(tmp_path / "a.gif", lambda: iter(()), Fraction(16))


def test_numbered_pictures(tmp_path: Path, frames: Frames, frame_number: Number) -> None:
    folder = tmp_path / "20240101000000"
    folder.mkdir()
    places = FilmPlaces(folder)
    with FrameSaver(places.frame) as saver:
        for frame in frames(20):
            saver.write(frame)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"20240101000000_{number:09d}.png" for number in range(20)
    ]
    for number in (0, 7, 19):
        assert frame_number(read_picture(places.frame(number), 64, 48, "cover")) == number


def test_numbered_pictures_that_cannot_be_written(tmp_path: Path, frames: Frames) -> None:
    saver = FrameSaver(lambda number: tmp_path / "gone" / f"{number}.png")

    def write_all() -> None:
        with saver:
            for frame in frames(100):
                saver.write(frame)

    with pytest.raises(StorageError, match="gone"):
        write_all()
