"""What a picture is everywhere in the engine. For type hints only: import it under TYPE_CHECKING."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""One frame: shape (height, width, 3), RGB, 0 to 255."""
