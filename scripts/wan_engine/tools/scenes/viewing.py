"""What a page shows of a film's scenes: their list, the curve in a few points, and single frames of the film."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import InputError, Problem, StorageError
from wan_engine.media.film_frames import film_frame
from wan_engine.tools.scenes.curve import Curve, read_curve
from wan_engine.tools.scenes.scene_list import SceneList, read_list
from wan_engine.words import counted

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture


@dataclass(frozen=True)
class SceneView:
    """A list of scenes that was written, with the curve beside it."""

    scenes: SceneList
    curve: Curve

    @property
    def film(self) -> Path:
        """The film that was split."""
        return Path(self.scenes.film)

    def points(self, count: int) -> dict[str, Any]:
        """The curve in at most `count` equal parts of the film: the greatest likelihood in each, and its first moment.

        seconds has one entry more, the film's end.
        """
        import numpy as np

        frames = len(self.curve.times)
        edges = np.linspace(0, frames, min(count, frames) + 1).astype(int)
        greatest = np.maximum.reduceat(self.curve.likelihood[:, 0], edges[:-1])
        seconds = [round(float(self.curve.times.seconds(int(edge))), 3) for edge in edges]
        return {"likelihood": [round(float(each), 3) for each in greatest], "seconds": seconds}

    def frame(self, number: int) -> Picture:
        """A frame of the film, as it is seen. Raises InputError for one that is not there, and MediaError."""
        times = self.curve.times
        if number >= len(times):
            message = f"the film has {counted(len(times), 'frame')}"
            raise InputError(Problem(message, f"Give a frame from 0 to {len(times) - 1}", field="frame"))
        return film_frame(self.film, times, number)


def view_scenes(path: Path) -> SceneView:
    """Read a list of scenes (scenes-….json) and its curve. Raises InputError when one of them cannot be read."""
    place = path.with_suffix(".npz")
    try:
        scenes = read_list(path)
        curve = _curve(place, place.stat().st_mtime_ns, scenes.film_hash) if scenes and place.is_file() else None
    except StorageError as error:
        raise _no_view(error.message) from error
    if scenes is None:
        raise _no_view(f"there is no list of scenes at {path}")
    if curve is None:
        raise _no_view(f"the curve {place} is missing or of another film")
    return SceneView(scenes, curve)


def _no_view(message: str) -> InputError:
    return InputError(Problem(message, "Name the list of a film whose scenes were found", field="path"))


@lru_cache(maxsize=2)
def _curve(place: Path, changed: int, film_hash: str) -> Curve | None:
    """The curve of a file; a page asks for many frames of the same film."""
    return read_curve(place, film_hash)
