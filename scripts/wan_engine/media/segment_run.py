"""One run of ffmpeg's segment muxer: tells of each file as soon as it is whole, and ends at once when it shall."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from wan_engine.media.small_frames import exact_ffmpeg
from wan_engine.media.tools import said_words, start_ffmpeg

_SAID = 40
"""Lines kept of what ffmpeg says; a damaged film says thousands."""
_LOOK_SECONDS = 0.2
"""Time between two looks for the wish to stop."""
_END_SECONDS = 5.0
"""Time that ffmpeg has to end by itself after it has written half a file."""


class SegmentRun:
    """Runs ffmpeg while its block lasts; at the end of the block it has ended, however that came.

    arguments: with `-segment_list pipe:1 -segment_list_type flat`. Raises MediaError when ffmpeg cannot be started.
    """

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._said: list[str] = []
        self._is_full = False

    def __enter__(self) -> SegmentRun:
        self._process = start_ffmpeg(exact_ffmpeg(), self._arguments)
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._read, self._listen)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def finished(self, cancelled: Callable[[], bool]) -> Iterator[int]:
        """The number of each file, from 0, when it is whole; ends early when `cancelled` says so."""
        number = 0
        while not cancelled():
            try:
                line = self._lines.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if line is None:
                return
            yield number
            number += 1

    def failure(self) -> str:
        """Why ffmpeg failed, "" if it did not; to be asked when all files are finished."""
        self._process.wait()
        self._threads[1].join()
        if not self._process.returncode:
            return ""
        return said_words(self._said) or f"ffmpeg ended with code {self._process.returncode}"

    def disk_is_full(self) -> bool:
        """Whether ffmpeg had no room for what it wrote; to be asked of a file that is not whole, and ends ffmpeg.

        It lists the file first and tells why it ends after that.
        """
        self._threads[1].join(_END_SECONDS)
        self._process.kill()
        self._threads[1].join()
        return self._is_full

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                self._is_full = self._is_full or b"No space left" in line
                if len(self._said) < _SAID:
                    self._said.append(line.decode("utf-8", "replace"))
