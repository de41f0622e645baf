"""Sizes that providers make: the nearest in shape to a film's, and the pictures they start from fitted to them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.media.pictures import read_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]


def nearest_shape(width: int, height: int, sizes: Iterable[Size]) -> Size:
    """The size whose shape is nearest, compared as ratios are: 2:1 is as far from 1:1 as 1:2."""
    return min(sizes, key=lambda size: abs(math.log(size[0] * height / (size[1] * width))))


def same_shape(width: int, height: int, pixels: int, multiple: int) -> Size:
    """A size of about so many pixels and this shape, its sides multiples of `multiple`."""
    scale = math.sqrt(pixels / (width * height))
    return (
        max(multiple, multiple * round(width * scale / multiple)),
        max(multiple, multiple * round(height * scale / multiple)),
    )


def fitted_image(path: Path, width: int, height: int) -> Image:
    """The picture of a file, RGB, scaled and cropped evenly to cover exactly this size. Raises MediaError."""
    from PIL import Image

    return Image.fromarray(read_picture(path, width, height, "cover"), "RGB")


def fitted_mask(path: Path, width: int, height: int) -> Image:
    """A mask likewise, grey: white is made new. Raises MediaError."""
    return fitted_image(path, width, height).convert("L")


def png_bytes(image: Image) -> bytes:
    """The image as a PNG file."""
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
