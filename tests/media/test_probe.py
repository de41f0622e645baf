"""What a film is, and its exact last frame, for the films that people have."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from wan_engine.errors import MediaError
from wan_engine.media.picture import Picture
from wan_engine.media.probe import last_frame, probe
from wan_engine.media.tools import find_ffmpeg

X264 = {"preset": "veryfast", "crf": "12"}


def write_film(
    path: Path,
    frames: Iterable[Picture],
    codec: str = "libx264",
    fps: Fraction = Fraction(24),
    pts: Iterable[int] | None = None,
    rotation: int = 0,
    **options: str,
) -> Path:
    """A film by PyAV; pts in 1/1000 s make it of variable rate."""
    pictures = list(frames)
    times = list(pts) if pts is not None else None
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=fps, options=options or dict(X264))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


Frames = Callable[..., Iterator[Picture]]
Number = Callable[[Picture], int]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx265"),
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx-vp9"),
        ("a.avi", "mpeg4"),
        ("a.ts", "libx264"),
        ("a.mp4", "libsvtav1"),
    ],
)
def test_containers(tmp_path: Path, frames: Frames, frame_number: Number, name: str, codec: str) -> None:
    options = {"libsvtav1": {"preset": "8", "crf": "15"}, "mpeg4": {"b": "4000000"}}.get(codec, {"crf": "10"})
    path = write_film(tmp_path / name, frames(50, 96, 64), codec, **options)
    info = probe(path)
    assert (info.width, info.height, info.fps, info.has_audio, info.rotation) == (96, 64, Fraction(24), False, 0)
    assert info.frames in (None, 50)
    assert abs(info.duration - Fraction(50, 24)) <= Fraction(3, 24)
    picture = last_frame(path)
    assert picture.shape == (64, 96, 3)
    assert picture.dtype == np.uint8
    assert frame_number(picture) == 49
    assert np.abs(picture[2, 2].astype(int) - (200, 60, 30)).max() <= 12


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 49, 99])
@pytest.mark.parametrize(
    "options", [{"bf": "0"}, {"bf": "8", "b_strategy": "0"}, {"x264-params": "open-gop=1:bframes=4"}]
)
def test_last_frame_of_any_length_and_order(
    tmp_path: Path, frames: Frames, frame_number: Number, count: int, options: dict[str, str]
) -> None:
    path = write_film(tmp_path / "a.mp4", frames(count), g="12", **X264, **options)
    assert frame_number(last_frame(path)) == count - 1


def test_variable_rate(tmp_path: Path, frames: Frames, frame_number: Number) -> None:
    """The last frame stays for long: a seek by the average rate would miss it."""
    rng = np.random.default_rng(3)
    pts = np.cumsum(rng.integers(5, 900, 60)).tolist()
    for name in ("a.mp4", "a.mkv"):
        path = write_film(tmp_path / name, frames(60), pts=pts, fps=Fraction(1000), g="20", **X264)
        assert frame_number(last_frame(path)) == 59
        assert probe(path).fps > 0


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_rotation(tmp_path: Path, rotation: int) -> None:
    """Upright the film is red above blue; in the file it lies as a turned camera left it."""
    upright = np.zeros((96, 64, 3), np.uint8)
    upright[:48], upright[48:] = (200, 30, 20), (20, 30, 200)
    lying = np.ascontiguousarray(np.rot90(upright, -rotation // 90))
    path = write_film(tmp_path / "a.mp4", [lying] * 5, rotation=rotation)
    info = probe(path)
    assert (info.width, info.height) == (64, 96)
    assert info.rotation == rotation % 360
    picture = last_frame(path)
    assert picture.shape == (96, 64, 3)
    assert np.abs(picture.astype(int) - upright)[[10, 80], 30].max() <= 12


def test_long_film_is_not_decoded_whole(tmp_path: Path, frames: Frames, frame_number: Number) -> None:
    path = write_film(tmp_path / "a.mp4", frames(1500, 320, 240), g="48", preset="ultrafast")
    started = time.perf_counter()
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 1500
    whole = time.perf_counter() - started
    started = time.perf_counter()
    assert frame_number(last_frame(path)) == 1499
    assert time.perf_counter() - started < whole / 2


def test_film_without_an_index(tmp_path: Path, frames: Frames, frame_number: Number) -> None:
    """A Matroska stream that was never finished has neither length nor index."""
    write_film(tmp_path / "a.mkv", frames(100), g="10", **X264)
    content = (tmp_path / "a.mkv").read_bytes()
    command = [
        find_ffmpeg().path,
        "-v",
        "error",
        "-i",
        "pipe:0",
        "-c",
        "copy",
        "-f",
        "matroska",
        "-live",
        "1",
        "pipe:1",
    ]
    piped = subprocess.run(command, input=content, capture_output=True, check=True).stdout
    (tmp_path / "live.mkv").write_bytes(piped)
    assert frame_number(last_frame(tmp_path / "live.mkv")) == 99


def test_exact_rate_and_sound(make_film: Callable[..., Path], make_sound: Callable[..., Path]) -> None:
    info = probe(make_film(31, fps=Fraction(30000, 1001), soundtrack=make_sound(1.0)))
    assert (info.fps, info.frames, info.has_audio) == (Fraction(30000, 1001), 31, True)
    assert info.codec == "h264"
    assert "mp4" in info.container


def test_cover_of_a_sound_file_is_no_film(tmp_path: Path, make_sound: Callable[..., Path]) -> None:
    from PIL import Image

    Image.new("RGB", (32, 32)).save(tmp_path / "cover.png")
    command = [find_ffmpeg().path, "-v", "error", "-i", make_sound(0.5), "-i", tmp_path / "cover.png", "-map", "0:a"]
    command += ["-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic", tmp_path / "a.mp3"]
    subprocess.run(command, check=True)
    with pytest.raises(MediaError, match=r"cannot be read|holds no film"):
        probe(tmp_path / "a.mp3")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "hello",
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{film}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n",
        "ffconcat version 1.0\nfile '{film}'\n",
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.m3u8", "a.sdp"])
def test_playlists_and_other_files_are_refused(
    tmp_path: Path, make_film: Callable[..., Path], content: str, name: str
) -> None:
    film = make_film(3, name="real.mp4")
    (tmp_path / name).write_text(content.format(film=film))
    for look in (probe, last_frame):
        with pytest.raises(MediaError, match="cannot be read") as caught:
            look(tmp_path / name)
        assert caught.value.remedy


@pytest.mark.parametrize("name", ["http://127.0.0.1:9/a.mp4", "concat:a.mp4|b.mp4", "pipe:0", "-", "none.mp4"])
def test_names_are_files_and_nothing_else(name: str) -> None:
    with pytest.raises(MediaError, match="is not there"):
        probe(Path(name))


def test_name_that_looks_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_film: Callable[..., Path], frame_number: Number
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-y.mp4", "http:a.mp4", "a%03d.mp4"):
        make_film(4).rename(tmp_path / name)
        assert frame_number(last_frame(Path(name))) == 3


def test_codec_that_is_not_read(tmp_path: Path, frames: Frames) -> None:
    path = write_film(tmp_path / "a.avi", frames(3), "asv1", b="1000000")
    with pytest.raises(MediaError, match="which is not read"):
        probe(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_films_are_told_or_end_earlier(tmp_path: Path, frames: Frames, share: float) -> None:
    for name in ("a.mp4", "a.mkv"):
        path = write_film(tmp_path / name, frames(60), g="10", **X264)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        for look in (probe, last_frame):
            try:
                look(path)
            except MediaError as error:
                assert error.remedy  # noqa: PT017
