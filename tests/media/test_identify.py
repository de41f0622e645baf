"""What a file is told to be by its content, whatever its name says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from wan_engine.errors import MediaError
from wan_engine.media.identify import identify
from wan_engine.media.tools import find_ffmpeg, run_ffmpeg


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose name says nothing."""
    return tmp_path / "file.part"


@pytest.mark.parametrize(
    ("format_name", "ending"),
    [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp"), ("BMP", ".bmp"), ("GIF", ".gif"), ("TIFF", ".tiff")],
)
def test_pictures(file: Path, format_name: str, ending: str) -> None:
    Image.new("RGB", (30, 20), "red").save(file, format_name)
    found = identify(file)
    assert (found.kind, found.ending, found.width, found.height, found.seconds) == ("picture", ending, 30, 20, None)


def test_a_moving_gif_is_a_film(file: Path) -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    found = identify(file)
    assert (found.kind, found.ending) == ("film", ".gif")


@pytest.mark.parametrize(
    ("container", "ending"), [("mp4", ".mp4"), ("matroska", ".mkv"), ("avi", ".avi"), ("mpegts", ".ts")]
)
def test_films(file: Path, container: str, ending: str) -> None:
    run_ffmpeg(find_ffmpeg(), ["-f", "lavfi", "-i", "testsrc=s=64x48:r=8:d=1", "-f", container, str(file)])
    found = identify(file)
    assert (found.kind, found.ending, found.width, found.height, found.seconds) == ("film", ending, 64, 48, 1.0)


@pytest.mark.parametrize(
    ("container", "ending"), [("wav", ".wav"), ("mp3", ".mp3"), ("flac", ".flac"), ("ipod", ".m4a")]
)
def test_sounds(file: Path, container: str, ending: str) -> None:
    run_ffmpeg(find_ffmpeg(), ["-f", "lavfi", "-i", "sine=d=1", "-f", container, str(file)])
    found = identify(file)
    assert (found.kind, found.ending, found.width) == ("sound", ending, None)
    assert found.seconds == pytest.approx(1.0, abs=0.1)


def test_everything_else_is_refused(file: Path) -> None:
    Image.new("RGB", (300, 200)).save(file, "BMP")
    cut = file.read_bytes()[:-1000]
    for content in (
        b"",
        b"text",
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile a\n",
        cut,
        bytes(9999),
    ):
        file.write_bytes(content)
        with pytest.raises(MediaError):
            identify(file)
