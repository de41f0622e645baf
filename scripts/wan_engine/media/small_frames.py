"""Streams a film's frames, scaled down, while it is decoded, and tells afterwards when each of them is shown."""

from __future__ import annotations

import contextlib
import logging
import queue
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from wan_engine.errors import MediaError
from wan_engine.media.frame_times import FrameTimes, read_stats
from wan_engine.media.opening import FILM_CONTAINERS, opened, sound_stream
from wan_engine.media.tools import INPUT_OPTIONS, Ffmpeg, file_url, find_ffmpeg, said_words, start_ffmpeg

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

OLDEST_FFMPEG = (6, 1)
"""First version with `-stats_enc_pre` and the encoder time base `demux`."""

_BLOCK = 100
"""Frames read at once."""
_WAITING = 12
"""Blocks decoded ahead at most: the decoder works on while a window is looked at, in a few megabytes."""
_SAID = 40
"""Lines kept of what ffmpeg says; a damaged film says thousands."""


def exact_ffmpeg() -> Ffmpeg:
    """The ffmpeg to cut with. Raises MediaError when it is too old to tell the times of frames."""
    ffmpeg = find_ffmpeg()
    if ffmpeg.numbers is not None and ffmpeg.numbers < OLDEST_FFMPEG:
        remedy = "Install ffmpeg 6.1 or newer, or set WAN_FFMPEG to one"
        raise MediaError(f"ffmpeg {ffmpeg.version} is too old to cut exactly", remedy)
    return ffmpeg


def film_input(film: Path) -> list[str]:
    """ffmpeg's arguments for a film as its input: local files and film containers only."""
    return [*INPUT_OPTIONS, "-format_whitelist", FILM_CONTAINERS, "-i", file_url(film)]


def unheard_sound(film: Path) -> list[str]:
    """A further output for a run of ffmpeg that needs no sound: what comes there is thrown away.

    ffmpeg counts the times of some containers (MPEG-TS) from the first of the streams that it uses, so that every run
    must use the same ones. Raises MediaError.
    """
    with opened(film, FILM_CONTAINERS) as container:
        has_sound = sound_stream(film, container) is not None
    return ["-map", "0:a", "-c", "copy", "-f", "null", "-"] if has_sound else []


class SmallFrames:
    """One ffmpeg that decodes a film beside whoever looks at its frames. Used as a context manager.

    width, height: of the frames, in pixels; the shape of the film is not kept. Frame k that comes is the film's
    frame k as it is seen, none doubled or dropped. Raises MediaError.
    """

    def __init__(self, film: Path, width: int, height: int) -> None:
        self._film = film
        self._shape = (height, width, 3)
        self._folder = tempfile.TemporaryDirectory(prefix="wan-times-")
        self._stats = Path(self._folder.name) / "times.txt"
        self._blocks: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._said: list[str] = []
        self._stopped = threading.Event()

    def __enter__(self) -> SmallFrames:
        height, width, _ = self._shape
        arguments = [
            # The loop filter is half of the decoding and is not seen in pictures of this size.
            *("-skip_loop_filter", "all", *film_input(self._film), "-map", "0:V:0", "-an", "-sn", "-dn"),
            *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
            *("-vf", f"scale={width}:{height}:flags=bilinear", "-pix_fmt", "rgb24"),
            *("-stats_enc_pre:v:0", str(self._stats), "-stats_enc_pre_fmt:v:0", "{pts} {tb}"),
            *("-f", "rawvideo", "pipe:1", *unheard_sound(self._film)),
        ]
        self._process = start_ffmpeg(exact_ffmpeg(), arguments)
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(queue.Empty):
            while True:
                self._blocks.get_nowait()
        for thread in self._threads:
            thread.join()
        self._folder.cleanup()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """The frames in blocks of shape (frames, height, width, 3). Raises MediaError when the film ends in error."""
        import numpy as np

        while (data := self._blocks.get()) is not None:
            yield np.frombuffer(data, np.uint8).reshape(-1, *self._shape)
        self._process.wait()
        self._threads[1].join()
        if self._process.returncode:
            raise MediaError(
                f"{self._film} cannot be decoded: {said_words(self._said)}", "Take another film or repair this one"
            )

    def times(self) -> FrameTimes:
        """When each frame is shown; to be asked after the last one. Raises MediaError."""
        return read_stats(self._film, self._stats)

    def damage(self) -> str:
        """What ffmpeg found damaged in the film that it could decode all the same; "" for nothing."""
        return said_words(self._said)

    def _read(self) -> None:
        height, width, depth = self._shape
        size = height * width * depth
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            while data := stdout.read(size * _BLOCK):
                self._put(data[: len(data) // size * size])
        self._put(None)

    def _put(self, block: bytes | None) -> None:
        """Hand a block over, waiting for room, but not for somebody who has gone."""
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._blocks.put(block, timeout=0.2)
                return

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                if len(self._said) < _SAID:
                    self._said.append(line.decode("utf-8", "replace"))
