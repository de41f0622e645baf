"""Ctrl-C and SIGTERM: the first asks the render to stop within a step, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

EXIT_CANCELLED = 130
"""Exit code of work that the user stopped: 128 + SIGINT, as shells count."""

STOPPING = "Stopping after this step. Press Ctrl-C again to end at once."


class StopSignals:
    """While it is entered, `wanted()` says whether the user asked for the work to stop.

    announce: called once, from the signal handler, when the first signal comes. It must not take locks.
    last_words: written to stderr when the second signal ends the process.
    """

    def __init__(self, announce: Callable[[], None], last_words: bytes = b"") -> None:
        self._announce = announce
        self._last_words = last_words
        self._wanted = False
        self._before: dict[int, Any] = {}

    def wanted(self) -> bool:
        """Whether a signal came; a `CancelCheck`."""
        return self._wanted

    def __enter__(self) -> StopSignals:
        # Python lets only the main thread set handlers; elsewhere signals are the caller's.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._take) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._wanted:
            # Everything on disk can be picked up again, so nothing is left to tidy.
            os.write(2, self._last_words)
            os._exit(EXIT_CANCELLED)
        self._wanted = True
        self._announce()


def announce_plainly() -> None:
    """Say on stderr that the work stops; by a bare write, because a signal may come in the middle of a print."""
    os.write(2, (STOPPING + "\n").encode("ascii"))
