"""Finds scenes with the detectors of PySceneDetect, which compare neighbouring frames and need no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from wan_engine.tools.scenes.detector import FrameSize

if TYPE_CHECKING:
    from wan_engine.tools.scenes.detector import Block, Likelihood

_CONTENT_THRESHOLD = 27.0
_ADAPTIVE_THRESHOLD, _ADAPTIVE_CONTENT, _ADAPTIVE_WINDOW = 3.0, 15.0, 2
"""PySceneDetect's own defaults."""
_FPS = 25.0
"""Any rate: only the numbers of frames are used."""
_BELOW = 0.49
"""Given where one of two conditions is not met."""


class Content:
    """PySceneDetect's ContentDetector: the mean change of hue, saturation and lightness between two frames."""

    name = "content"
    words = "PySceneDetect's content detector"
    size = FrameSize(160, 90)

    def likelihoods(self, frames: Iterable[Block]) -> Iterator[Likelihood]:
        """See `Detector`."""
        from scenedetect.detectors import ContentDetector

        scores = _scores(ContentDetector(), frames, "content_val", 0)
        yield from _ended_before(_as_likelihood(score["content_val"], _CONTENT_THRESHOLD) for score in scores)


class Adaptive:
    """PySceneDetect's AdaptiveDetector: the change between two frames against that of the frames around."""

    name = "adaptive"
    words = "PySceneDetect's adaptive detector"
    size = FrameSize(160, 90)

    def likelihoods(self, frames: Iterable[Block]) -> Iterator[Likelihood]:
        """See `Detector`."""
        from scenedetect.detectors import AdaptiveDetector

        detector = AdaptiveDetector(
            adaptive_threshold=_ADAPTIVE_THRESHOLD,
            window_width=_ADAPTIVE_WINDOW,
            min_content_val=_ADAPTIVE_CONTENT,
        )
        key = next(name for name in detector.get_metrics() if name.startswith("adaptive_ratio"))
        scores = _scores(detector, frames, key, _ADAPTIVE_WINDOW)
        yield from _ended_before(_adaptive(score[key], score["content_val"]) for score in scores)


def _adaptive(ratio: float, content: float) -> float:
    likelihood = _as_likelihood(ratio, _ADAPTIVE_THRESHOLD)
    return likelihood if content >= _ADAPTIVE_CONTENT else min(likelihood, _BELOW)


def _as_likelihood(score: float, threshold: float) -> float:
    """From 0 to 1, rising with the score, 0.5 at the threshold."""
    return score / (score + threshold)


class _LatestScores:
    """Takes a detector's figures in place of PySceneDetect's StatsManager, which keeps those of the whole film."""

    def __init__(self) -> None:
        self.by_frame: dict[int, dict[str, float]] = {}

    def set_metrics(self, timecode: Any, values: dict[str, float]) -> None:
        """What detectors call."""
        self.by_frame.setdefault(timecode.frame_num, {}).update(values)


def _scores(detector: Any, blocks: Iterable[Block], key: str, behind: int) -> Iterator[dict[str, float]]:
    """The figures of each frame, of the first and last ones zeros.

    behind: how many frames late the figure `key` comes.
    """
    from scenedetect import FrameTimecode

    latest, number, given = _LatestScores(), 0, 0
    detector.stats_manager = latest
    nothing = {key: 0.0, "content_val": 0.0}
    for block in blocks:
        for frame in block:
            detector.process_frame(FrameTimecode(number, fps=_FPS), frame[:, :, ::-1].copy())
            number += 1
            if number > behind:
                yield {**nothing, **latest.by_frame.pop(given, {})}
                given += 1
    for _ in range(given, number):
        yield nothing


def _ended_before(values: Iterable[float]) -> Iterator[Likelihood]:
    """A change between two frames, told at the later one, becomes the end of a scene at the earlier one."""
    import numpy as np

    rows: list[tuple[float, float]] = []
    first = True
    for value in values:
        if first:
            first = False
            continue
        rows.append((value, value))
        if len(rows) == _ROWS:
            yield np.array(rows, np.float32)
            rows = []
    if not first:
        yield np.array([*rows, (0.0, 0.0)], np.float32)


_ROWS = 100
"""Frames told at once."""
