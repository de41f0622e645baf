"""The family of scene detectors, by the names of the setting `detector`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from wan_engine.settings_split import SplitSettings
from wan_engine.tools.scenes.classic import Adaptive, Content
from wan_engine.tools.scenes.detector import Detector
from wan_engine.tools.scenes.network import weights_file
from wan_engine.tools.scenes.transnet import TransNet

DETECTORS: dict[str, Callable[[str], Detector]] = {
    "transnet": TransNet,
    "content": lambda device: Content(),
    "adaptive": lambda device: Adaptive(),
}
"""Each takes the device."""


def make_detector(settings: SplitSettings, device: str = "") -> tuple[Detector, tuple[str, ...]]:
    """The detector of the settings, and what the user should know of the choice.

    device: in place of the settings' own. Raises ModelError.
    """
    name, notes = settings.detector, list[str]()
    if name == "auto":
        has_network = importlib.util.find_spec("torch") is not None and weights_file() is not None
        name = "transnet" if has_network else "content"
        if not has_network:
            notes.append("torch or TransNetV2 is not installed: PySceneDetect finds the scenes, and misses dissolves")
    return DETECTORS[name](device or settings.device), tuple(notes)
