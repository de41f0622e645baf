"""Resamples a clip in time: frames at the model's rate become frames at the film's times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from wan_engine.errors import MediaError

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

_HALF = Fraction(1, 2)


def resample(frames: Iterator[Picture], times: Iterable[Fraction], how: str) -> Iterator[Picture]:
    """The picture at each of `times`, which are in model frames and never decrease.

    how: `nearest` takes the model frame at floor(time + 1/2); `blend` mixes the two frames around the time linearly
    and rounds each value, halves up; `flow` moves both along their motion first. A whole time gives that frame itself.
    At most two frames are held; a picture may be given out more than once, so do not write into it. Raises MediaError
    when the clip is too short, ValueError for a time that is negative or goes back.
    """
    if how != "nearest" and how not in _BETWEEN:
        raise ValueError(f"{how!r} is no way to resample")
    window = _Window(frames)
    last = Fraction(0)
    for time in times:
        if time < last:
            raise ValueError(f"time {time} goes back behind {last}")
        last = time
        if how == "nearest":
            yield window.at(int(time + _HALF))
            continue
        index = int(time)
        first = window.at(index)
        yield first if time == index else _BETWEEN[how](first, window.after(index), time - index)


class _Window:
    """The one or two frames of the stream that are needed now."""

    def __init__(self, frames: Iterator[Picture]) -> None:
        self._frames = frames
        self._index = -1
        self._current: Picture | None = None
        self._next: Picture | None = None

    def at(self, index: int) -> Picture:
        """Frame `index`; what lies before it is forgotten."""
        while self._index < index:
            self._current = self._next if self._next is not None else self._read(self._index + 1)
            self._next = None
            self._index += 1
        assert self._current is not None
        return self._current

    def after(self, index: int) -> Picture:
        """The frame after the current one, `index`."""
        if self._next is None:
            self._next = self._read(index + 1)
        return self._next

    def _read(self, index: int) -> Picture:
        frame = next(self._frames, None)
        if frame is None:
            remedy = "Render the clip again: its file is damaged"
            raise MediaError(f"the clip ends after {index} frames and frame {index} is needed", remedy)
        return frame


def _blend(first: Picture, second: Picture, weight: Fraction) -> Picture:
    """Exact in whole numbers, so that the same film comes out on every machine."""
    import numpy as np

    part, whole = weight.numerator, weight.denominator
    number: Any = np.uint32 if whole < 2**24 else np.uint64  # 255.5 * whole must fit
    mixed = first.astype(number) * (whole - part)
    mixed += second.astype(number) * part
    mixed += whole // 2
    mixed //= whole
    blended: Picture = mixed.astype(np.uint8)
    return blended


def _moved(first: Picture, second: Picture, weight: Fraction) -> Picture:
    from wan_engine.media.flow import between

    return between(first, second, float(weight))


_BETWEEN: dict[str, Callable[[Picture, Picture, Fraction], Picture]] = {"blend": _blend, "flow": _moved}
"""The ways to make a picture between two; a new one is a line here and a choice of the setting."""
