"""The exact times of a film's frames, and the frames of a stretch of it without decoding what lies before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import MediaError
from wan_engine.media.opening import FILM_CONTAINERS, film_stream, opened
from wan_engine.media.probe import upright
from wan_engine.media.small_frames import SmallFrames

if TYPE_CHECKING:
    from wan_engine.media.frame_times import FrameTimes
    from wan_engine.media.picture import Picture


_LOOK = 16
"""Width and height in pixels of the frames that are decoded for their times alone."""
_AHEAD = (0, 2, 20)
"""Seconds before a frame at which it is searched for, one after the other; then the film is read from its beginning.
Without an index a search may end behind the key frame that is needed."""


def film_times(film: Path, seen: Callable[[int], None] = lambda count: None) -> FrameTimes:
    """When each frame of a film is shown, by decoding it once. seen: told how many are done. Raises MediaError."""
    with SmallFrames(film, _LOOK, _LOOK) as frames:
        done = 0
        for block in frames:
            done += len(block)
            seen(done)
        return frames.times()


def film_frames(film: Path, times: FrameTimes, start: int, end: int) -> Iterator[Picture]:
    """The frames [start, end) of a film, upright, RGB, in its own size, one in memory at a time.

    times: of all its frames. Raises MediaError when the film does not give exactly these, as one that changed.
    """
    expected = start
    for number, frame in _numbered(film, times, start):
        if number < expected:
            continue
        if number > expected or number >= end:
            break
        yield upright(frame)
        expected += 1
        if expected == end:
            return
    if expected < end:
        raise MediaError(f"{film} does not give its frame {expected}", "Convert it to mp4 first, or take another film")


def film_frame(film: Path, times: FrameTimes, number: int) -> Picture:
    """One frame of a film, as `film_frames` gives it. Raises MediaError."""
    return next(film_frames(film, times, number, number + 1))


def _numbered(film: Path, times: FrameTimes, start: int) -> Iterator[tuple[int, Any]]:
    """The film's frames with their numbers, from one at or before `start` on."""
    for ahead in _AHEAD:
        moment = times.seconds(start) - ahead
        if moment <= 0:
            break
        with opened(film, FILM_CONTAINERS) as container:
            frames = _decoded(film, container, times, moment)
            first = next(frames, None)
            if first is not None and first[0] <= start:
                yield first
                yield from frames
                return
    with opened(film, FILM_CONTAINERS) as container:
        yield from _decoded(film, container, times, Fraction(0))


def _decoded(film: Path, container: Any, times: FrameTimes, moment: Fraction) -> Iterator[tuple[int, Any]]:
    """From a key frame before the moment on, counted from the file's start; without an index also from a later one."""
    import av

    stream = film_stream(film, container)
    stream.thread_type = "AUTO"
    origin = Fraction(container.start_time or 0, 1_000_000)
    if moment:
        try:
            container.seek(int((moment + origin) / stream.time_base), stream=stream, backward=True)
        except av.FFmpegError:
            return  # the caller reads from the beginning
    for frame in container.decode(stream):
        if frame.pts is not None:
            yield times.nearest(frame.pts * stream.time_base - origin), frame
