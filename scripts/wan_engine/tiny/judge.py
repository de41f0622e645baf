"""Tells by colours and moments what a picture of the shapes world shows, and where: arithmetic, not a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.tiny.world import BACKGROUNDS, COLOURS, Caption

if TYPE_CHECKING:
    import numpy as np

_VISIBLE = 0.25
"""Distance of colours, of RGB from 0 to 1, from which a pixel is not the background."""
_LEAST_PIXELS = 30
"""The smallest triangle has 110."""
_SQUARE_FILL, _CIRCLE_FILL = 0.89, 0.65
"""Share of its bounding box that a shape fills: square 1, circle 0.79, triangle 0.5; the limits lie between."""
_STILL_PIXELS = 4.0


@dataclass(frozen=True)
class Sighting:
    """What one picture shows.

    colour, shape: of the shape; empty when none is seen.  background: the nearest one.
    x, y: the shape's centre of area in pixels from the upper left corner.  area: in pixels.
    """

    background: str
    colour: str = ""
    shape: str = ""
    x: float = 0.0
    y: float = 0.0
    area: float = 0.0

    def shows(self, caption: Caption) -> bool:
        """Whether colour, shape and background are the caption's; a picture has no motion."""
        seen = (self.colour, self.shape, self.background)
        return seen == (caption.colour, caption.shape, caption.background)


def look(picture: np.ndarray[Any, Any]) -> Sighting:
    """Judge a picture, (height, width, 3) in 8 bits."""
    import numpy as np

    pixels = picture.astype(np.float64) / 255
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    place = np.median(rim, axis=0)
    background = _nearest(place, BACKGROUNDS)
    away = np.linalg.norm(pixels - place, axis=2)
    inside = away > _VISIBLE
    if inside.sum() < _LEAST_PIXELS:
        return Sighting(background)
    # The shape's own colour is that of its inner pixels: those on the edge are mixed with the background.
    full = np.median(pixels[away > 0.8 * np.percentile(away[inside], 75)], axis=0)
    step = full - place
    cover = np.clip((pixels - place) @ step / (step @ step), 0, 1) * inside
    area = float(cover.sum())
    rows, columns = np.indices(cover.shape) + 0.5
    # The longest row and column: exact to parts of a pixel, where counting rows and columns is not.
    box = float(cover.sum(0).max() * cover.sum(1).max())
    return Sighting(
        background=background,
        colour=_nearest(full, COLOURS),
        shape=_shape(area / box),
        x=float((cover * columns).sum() / area),
        y=float((cover * rows).sum() / area),
        area=area,
    )


def _nearest(colour: np.ndarray[Any, Any], table: dict[str, tuple[float, float, float]]) -> str:
    import numpy as np

    return min(table, key=lambda name: float(np.linalg.norm(colour - np.array(table[name]))))


def _shape(fill: float) -> str:
    if fill > _SQUARE_FILL:
        return "square"
    return "circle" if fill > _CIRCLE_FILL else "triangle"


def direction(sightings: Sequence[Sighting]) -> str:
    """Where the shape goes between the first and the last sighting; `still` below four pixels."""
    across = sightings[-1].x - sightings[0].x
    down = sightings[-1].y - sightings[0].y
    if max(abs(across), abs(down)) < _STILL_PIXELS:
        return "still"
    if abs(across) > abs(down):
        return "right" if across > 0 else "left"
    return "down" if down > 0 else "up"


def psnr(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures in dB; infinite when they are equal."""
    import numpy as np

    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
