"""The exact time of each frame of a film, also where the time between frames varies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import MediaError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REMEDY = "Convert it to mp4 first, or take another film"


@dataclass(frozen=True)
class FrameTimes:
    """When each frame is shown, counted from the file's start as ffmpeg does (the first frame may come later).

    ticks: int64, strictly rising.  tick: length of one, in seconds.
    """

    ticks: NDArray[np.int64]
    tick: Fraction

    def __len__(self) -> int:
        return len(self.ticks)

    def seconds(self, frame: int) -> Fraction:
        """When a frame is shown; of the frame after the last one, when the last one has been shown long enough."""
        if frame < len(self.ticks):
            return int(self.ticks[frame]) * self.tick
        return (int(self.ticks[-1]) + self._usual_gap()) * self.tick

    def before(self, frame: int) -> Fraction:
        """The moment half-way between the frame before and this one: no rounding of a time passes it."""
        if frame == 0:
            return max(Fraction(0), self.seconds(0) - self._usual_gap() * self.tick / 2)
        return (self.seconds(frame - 1) + self.seconds(frame)) / 2

    def nearest(self, seconds: Fraction) -> int:
        """The frame whose time is nearest."""
        import numpy as np

        wanted = seconds / self.tick
        after = int(np.searchsorted(self.ticks, float(wanted)))
        near = [frame for frame in (after - 1, after) if 0 <= frame < len(self.ticks)]
        return min(near, key=lambda frame: abs(int(self.ticks[frame]) - wanted))

    @property
    def fps(self) -> Fraction:
        """The average rate, in frames a second."""
        if len(self.ticks) < 2:
            return Fraction(1) / (self.tick * self._usual_gap())
        shown = (int(self.ticks[-1]) - int(self.ticks[0])) * self.tick
        return Fraction(len(self.ticks) - 1) / shown

    def _usual_gap(self) -> int:
        """The middle one of the times between two frames, in ticks; of a single frame, a 25th of a second."""
        import numpy as np

        if len(self.ticks) < 2:
            return max(1, round(Fraction(1, 25) / self.tick))
        return int(np.median(np.diff(self.ticks)))


def read_stats(film: Path, stats: Path) -> FrameTimes:
    """The times that ffmpeg wrote with `-stats_enc_pre_fmt "{pts} {tb}"`: one line a frame.

    Raises MediaError when they do not rise, for then no cut is exact.
    """
    import numpy as np

    with stats.open(encoding="ascii") as lines:
        first = lines.readline().split()
        lines.seek(0)
        ticks: Any = np.fromiter((int(line.split()[0]) for line in lines), np.int64)
    if not len(ticks):
        raise MediaError(f"{film} holds no frame that can be decoded", "Take another film")
    if len(ticks) > 1 and int(np.diff(ticks).min()) <= 0:
        raise MediaError(f"the times of the frames of {film} go back or stand still", _REMEDY)
    return FrameTimes(ticks, Fraction(first[1]))
