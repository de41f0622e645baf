"""How far a download is: bytes, speed, time left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SPEED_SECONDS = 10.0
"""The speed is that of so long."""
REPORT_SECONDS = 0.25
"""Least time between two reports of the same doing."""


@dataclass(frozen=True)
class Progress:
    """doing: `listing`, `downloading` or `checking`.  file: the one at hand.  done, total: bytes.

    speed: bytes a second, None if not known yet.  seconds_left: with that speed.
    """

    doing: str
    file: str = ""
    done: int = 0
    total: int = 0
    speed: float | None = None
    seconds_left: float | None = None


Report = Callable[[Progress], None]


class Meter:
    """Counts the bytes of all files together and reports now and then.

    clock: seconds that only grow.
    """

    def __init__(self, total: int, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._report = report
        self._clock = clock
        self._finished = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._told: tuple[str, str] = ("", "")
        self._told_at = 0.0

    def at(self, doing: str, file: str, have: int) -> None:
        """The file at hand has so many bytes now."""
        now, done = self._clock(), self._finished + have
        due = (doing, file) != self._told or now - self._told_at >= REPORT_SECONDS
        if not due:
            return
        self._told, self._told_at = (doing, file), now
        if doing == "downloading":
            self._samples.append((now, done))
        while self._samples and now - self._samples[0][0] > SPEED_SECONDS:
            self._samples.popleft()
        speed = self._speed()
        left = (self._total - done) / speed if speed else None
        self._report(Progress(doing, file, done, self._total, speed, left))

    def finished(self, size: int) -> None:
        """A file of so many bytes is done."""
        self._finished += size

    def restart(self) -> None:
        """Bytes are about to be there that were not fetched now, or to be gone: they are no speed."""
        self._samples.clear()

    def _speed(self) -> float | None:
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return max(0.0, (last - first) / (ended - began)) if ended > began else None
