"""What a picture and a mask are everywhere in the engine. For type hints only: import it under TYPE_CHECKING."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""One frame: shape (height, width, 3), RGB, 0 to 255."""

Mask = npt.NDArray[np.uint8]
"""Which pixels of a frame are made: shape (height, width), 0 for those that stay, 255 for those that are filled."""
