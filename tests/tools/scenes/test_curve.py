"""A film's curve takes little memory for each frame, however long the film is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wan_engine.media.tools import find_ffmpeg, run_ffmpeg
from wan_engine.tools.scenes.curve import draw_curve
from wan_engine.tools.scenes.detector import FrameSize
from wan_engine.tools.scenes.transnet import CORE, MARGIN
from wan_engine.tools.scenes.windows import windows

if TYPE_CHECKING:
    from wan_engine.tools.scenes.detector import Block, Likelihood


class Windows:
    """Takes the film as the network does, and finds nothing in it."""

    name = words = "windows"
    size = FrameSize(48, 27)

    def likelihoods(self, frames: Iterable[Block]) -> Iterator[Likelihood]:
        """See `Detector`."""
        for window in windows(frames, CORE, MARGIN):
            yield np.zeros((len(window) - 2 * MARGIN, 2), np.float32)


def film_of(minutes: int, folder: Path) -> Path:
    """A film of one minute after the other, each the same; nothing is encoded but the first."""
    minute, film = folder / "minute.mp4", folder / f"{minutes}.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x36:r=24", "-frames:v", str(24 * 60), "-preset", "ultrafast"]
    run_ffmpeg(find_ffmpeg(), [*source, "-y", str(minute)])
    run_ffmpeg(find_ffmpeg(), ["-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy", str(film)])
    return film


@pytest.mark.slow
def test_memory_grows_by_bytes_a_frame(tmp_path: Path) -> None:
    film = film_of(20, tmp_path)
    tracemalloc.start()
    try:
        curve = draw_curve(film, Windows(), lambda done: None, lambda: False)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(curve.times) == 24 * 60 * 20
    # What waits to be looked at, in blocks and one window; a whole film of small frames would be 112 MB.
    waiting = 12 * 2**20
    assert most < waiting + 200 * len(curve.times)
