"""Clip files: bit for bit what was written, and damage is told."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wan_engine.errors import MediaError, StorageError
from wan_engine.media.clipfile import ClipWriter, clip_frame, read_clip
from wan_engine.media.picture import Picture

RATES = [Fraction(16), Fraction(24), Fraction(24000, 1001), Fraction(240), Fraction(1), Fraction(7, 3)]


def noise(count: int, width: int, height: int, seed: int = 0) -> list[Picture]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def written(path: Path, frames: list[Picture], fps: Fraction = Fraction(16)) -> Path:
    height, width = frames[0].shape[:2]
    with ClipWriter(path, width, height, fps) as writer:
        for frame in frames:
            writer.write(frame)
    return path


@settings(max_examples=25)
@given(
    count=st.integers(1, 9),
    width=st.integers(1, 12).map(lambda value: 16 * value),
    height=st.integers(1, 6).map(lambda value: 16 * value),
    fps=st.sampled_from(RATES),
    seed=st.integers(0, 99),
)
def test_round_trip_is_exact(
    tmp_path_factory: pytest.TempPathFactory, count: int, width: int, height: int, fps: Fraction, seed: int
) -> None:
    frames = noise(count, width, height, seed)
    path = written(tmp_path_factory.mktemp("clip") / "a.mkv", frames, fps)
    back = list(read_clip(path))
    assert len(back) == count
    assert all(np.array_equal(one, other) for one, other in zip(frames, back, strict=True))
    assert np.array_equal(clip_frame(path, count - 1), frames[-1])


def test_every_frame_alone(tmp_path: Path) -> None:
    frames = noise(21, 32, 16)
    path = written(tmp_path / "a.mkv", frames)
    for index in (0, 1, 7, 20):
        assert np.array_equal(clip_frame(path, index), frames[index])
    with pytest.raises(MediaError, match="no frame 21"):
        clip_frame(path, 21)


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with ClipWriter(path, 16, 16, Fraction(16)) as writer:
        writer.write(noise(1, 16, 16)[0])
        assert not path.exists()
    assert list(tmp_path.iterdir()) == [path]


def test_exception_leaves_nothing(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mkv", 16, 16, Fraction(16))
    writer.write(noise(1, 16, 16)[0])
    with pytest.raises(RuntimeError, match="stopped"), writer:
        raise RuntimeError("stopped")
    assert not list(tmp_path.iterdir())


def test_clip_without_frames_is_refused(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mkv", 16, 16, Fraction(16))
    with pytest.raises(ValueError, match="at least one"):
        writer.close()
    assert not list(tmp_path.iterdir())


def test_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mkv", 16, 16, Fraction(16))
    for frame in (np.zeros((16, 32, 3), np.uint8), np.zeros((16, 16, 3), np.float32)):
        with pytest.raises(ValueError, match="is not"):
            writer.write(frame)  # type: ignore[arg-type]
    writer.abort()


@pytest.mark.parametrize("share", [0.0, 0.002, 0.02, 0.3, 0.6, 0.9])
def test_cut_file_is_told(tmp_path: Path, share: float) -> None:
    path = written(tmp_path / "a.mkv", noise(12, 32, 32))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(MediaError) as caught:
        list(read_clip(path))
    assert str(path) in caught.value.message
    assert "again" in caught.value.remedy
    with pytest.raises(MediaError):
        clip_frame(path, 11)


@pytest.mark.parametrize("content", [b"", b"hello", b"#EXTM3U\n/etc/passwd\n", b"ffconcat version 1.0\nfile a.mkv\n"])
def test_what_is_no_clip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mkv").write_bytes(content)
    with pytest.raises(MediaError, match="cannot be read"):
        next(read_clip(tmp_path / "a.mkv"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"none\.mkv"):
        clip_frame(tmp_path / "none.mkv", 0)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot write"):
        written(tmp_path / "none" / "a.mkv", noise(1, 16, 16))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(tmp_path: Path) -> None:
    """/dev/full answers every write with "no space left", as a full disk does."""
    (tmp_path / "a.part.mkv").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="space"):
        written(tmp_path / "a.mkv", noise(40, 128, 128))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_odd_names(tmp_path: Path) -> None:
    for name in ("-y.mkv", "http:a.mkv", "a%03d.mkv", "ein Bär.mkv", "concat:a|b.mkv"):
        path = written(tmp_path / name, noise(1, 16, 16))
        assert np.array_equal(clip_frame(path, 0), noise(1, 16, 16)[0])
        assert path.is_file()
