"""Clips become small films that a browser plays."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from wan_engine.errors import MediaError
from wan_engine.media.clip_preview import write_clip_preview
from wan_engine.media.clipfile import ClipWriter, clip_info
from wan_engine.media.probe import last_frame, probe


def _clip(path: Path, width: int, height: int) -> None:
    with ClipWriter(path, width, height, Fraction(24000, 1001)) as writer:
        for level in (0, 100, 200):
            writer.write(np.full((height, width, 3), level, np.uint8))


def test_a_clip_is_played_at_its_rate_and_size(tmp_path: Path) -> None:
    _clip(tmp_path / "clip.mkv", 65, 49)
    info = clip_info(tmp_path / "clip.mkv")
    assert (info.width, info.height, info.fps, info.frames) == (65, 49, Fraction(24000, 1001), 3)
    write_clip_preview(tmp_path / "clip.mkv", tmp_path / "small.mp4")
    found = probe(tmp_path / "small.mp4")
    assert (found.width, found.height, found.codec, found.frames) == (64, 48, "h264", 3)
    assert found.fps == info.fps
    assert abs(last_frame(tmp_path / "small.mp4").mean() - 200) < 4


def test_a_damaged_clip_leaves_nothing(tmp_path: Path) -> None:
    _clip(tmp_path / "clip.mkv", 64, 64)
    data = (tmp_path / "clip.mkv").read_bytes()
    (tmp_path / "clip.mkv").write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError):
        write_clip_preview(tmp_path / "clip.mkv", tmp_path / "small.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]
