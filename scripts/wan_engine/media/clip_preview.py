"""Turns a finished, lossless clip into a small film that a browser plays."""

from __future__ import annotations

from pathlib import Path

from wan_engine.media.clipfile import clip_info, read_clip
from wan_engine.media.encode import EncodeOptions, FilmEncoder

_CRF, _PRESET = 23, "veryfast"


def write_clip_preview(clip: Path, target: Path) -> None:
    """Write the clip as mp4, whole or not at all; an odd row or column is left out, which the format cannot hold.

    Raises MediaError for a damaged clip or one of a single row or column, StorageError for a full disk.
    """
    info = clip_info(clip)
    width, height = info.width // 2 * 2, info.height // 2 * 2
    options = EncodeOptions(target, width, height, info.fps, info.frames, encoder="software", crf=_CRF, preset=_PRESET)
    with FilmEncoder(options) as encoder:
        for frame in read_clip(clip):
            encoder.write(frame[:height, :width])
