"""Optical flow between two pictures: where each pixel goes, and pictures moved along it.

Dense inverse search (Kroeger and others, "Fast Optical Flow using Dense Inverse Search", 2016) as OpenCV has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from wan_engine.media.picture import Picture

    Flow = npt.NDArray[np.float32]
    """Shape (height, width, 2): pixels to the right and down that each pixel moves."""

Pixels = TypeVar("Pixels", bound="npt.NDArray[Any]")
"""A picture, or other values of each pixel in float32."""


def flow_between(first: Picture, second: Picture) -> Flow:
    """The motion from the first picture to the second, both of one size, RGB or grey, at least 12 pixels a side."""
    import cv2

    # OpenCV's type stubs leave out its factories of flow.
    search = getattr(cv2, "DISOpticalFlow_create")(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # noqa: B009
    flow: Flow = search.calc(_grey(first), _grey(second), None)
    return flow


def fetched(picture: Pixels, flow: Flow, share: float = 1.0) -> Pixels:
    """A picture of which each pixel is the one that lies `share` of the flow away. Edges are stretched.

    With the flow from A to B and picture B at share 1 it is B moved back onto A.
    """
    import cv2

    height, width = flow.shape[:2]
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    places = (across + share * flow[..., 0], down + share * flow[..., 1])
    moved = cv2.remap(picture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("Pixels", moved)


def between(first: Picture, second: Picture, share: float) -> Picture:
    """The picture at `share` (0 to 1) of the way from the first to the second, its things moved along their motion.

    Both pictures are moved to the time and mixed by nearness, so what only one of them shows fades. The result at 0 and
    1 is the first and the second picture themselves.
    """
    if share <= 0:
        return first
    if share >= 1:
        return second
    ahead, back = flow_between(first, second), flow_between(second, first)
    early = fetched(first, back, share).astype(np.float32)
    late = fetched(second, ahead, 1 - share).astype(np.float32)
    mixed: Picture = np.rint(early * (1 - share) + late * share).astype(np.uint8)
    return mixed


def _grey(picture: Picture) -> Picture:
    import cv2

    if picture.ndim == 2:
        return picture
    grey: Picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return grey
