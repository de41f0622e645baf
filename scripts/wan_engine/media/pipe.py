"""Feeds raw frames to a running ffmpeg and turns its failures into errors, without ever waiting on a dead one."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, TYPE_CHECKING

from wan_engine.errors import MediaError
from wan_engine.media.tools import Ffmpeg, said_words, start_ffmpeg

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

logger = logging.getLogger(__name__)

_KEPT_LINES = 20
"""Kept of the first and as many of the last lines that ffmpeg says."""
_LARGEST_RATIO_PART = 1_001_000
"""Greater numerators or denominators of a rate are rounded by ffmpeg (av_parse_video_rate)."""


@dataclass(frozen=True)
class FrameFormat:
    """The frames of a pipe: RGB of one size, in pixels, at an exact rate."""

    width: int
    height: int
    fps: Fraction

    def check(self) -> None:
        """Raise MediaError when ffmpeg could not keep the exact rate."""
        if max(self.fps.numerator, self.fps.denominator) > _LARGEST_RATIO_PART:
            near = self.fps.limit_denominator(1000)
            raise MediaError(f"the rate {self.fps} cannot be kept exactly in a film", f"Set fps to {near}")

    def arguments(self) -> list[str]:
        """The input as ffmpeg's arguments."""
        rate = f"{self.fps.numerator}/{self.fps.denominator}"
        size = f"{self.width}x{self.height}"
        return [*("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", size, "-framerate", rate), "-i", "pipe:0"]


class FramePipe:
    """One ffmpeg that reads frames: `write` each, then `finish`, or `kill`.

    arguments: everything after the frames' own input, the output's name last.
    """

    def __init__(self, ffmpeg: Ffmpeg, frames: FrameFormat, arguments: list[str]) -> None:
        frames.check()
        self._shape = (frames.height, frames.width, 3)
        command = [*frames.arguments(), *arguments]
        self._process = start_ffmpeg(ffmpeg, command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        # A full stderr pipe would stop ffmpeg, and ffmpeg would stop us.
        self._listener = threading.Thread(target=self._listen, name="ffmpeg-stderr", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                lines = self._first if len(self._first) < _KEPT_LINES else self._last
                lines.append(line.decode("utf-8", "replace"))

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def write(self, frame: Picture) -> None:
        """Hand over one frame; waits while ffmpeg is busy. Raises MediaError when ffmpeg has ended."""
        import numpy as np

        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} is not {self._shape} uint8")
        try:
            self._stdin.write(np.ascontiguousarray(frame).data)
        except (OSError, ValueError) as error:  # ValueError: `kill` in another thread has closed the pipe
            self.kill()
            raise self._failure() from error

    def finish(self) -> None:
        """Say that there are no more frames and wait for the end. Raises MediaError when ffmpeg failed."""
        try:
            self._stdin.close()
        except OSError as error:
            self.kill()
            raise self._failure() from error
        self._process.wait()
        self._listener.join()
        if self._process.returncode:
            raise self._failure()

    def kill(self) -> None:
        """End ffmpeg now. May be called at any time, also from another thread while `write` waits."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        try:
            self._stdin.close()
        except OSError as error:
            logger.debug("frames that ffmpeg had not read are dropped: %s", error)

    def _failure(self) -> MediaError:
        lines = [*self._first, *self._last]
        reason = said_words(lines) or f"it ended with code {self._process.returncode}"
        full = any("No space left" in line for line in lines)
        remedy = "Free some space on the disk" if full else "Check the place it writes to, or choose another codec"
        return MediaError(f"ffmpeg failed: {reason}", remedy)
