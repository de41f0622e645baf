"""The providers of keyframe pictures by name; each is loaded when it is chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wan_engine.storyboard.keyframes import PictureProvider
from wan_engine.storyboard.keyframes.files import FilesProvider
from wan_engine.storyboard.keyframes.openai_images import OpenAIProvider
from wan_engine.storyboard.keyframes.sd3 import Sd3Provider
from wan_engine.storyboard.keyframes.stability import StabilityProvider
from wan_engine.storyboard.keyframes.tiny import TinyProvider
from wan_engine.storyboard.keyframes.webui import WebuiProvider
from wan_engine.storyboard.services import Service


def make_provider(name: str, services: Mapping[str, Service], device: str = "auto") -> PictureProvider:
    """The provider of this name (a choice of the setting `provider`). device: where a local model runs."""
    makers: dict[str, Callable[[], PictureProvider]] = {
        "tiny": TinyProvider,
        "files": FilesProvider,
        "sd3": lambda: Sd3Provider(services["sd3"], device),
        "stability": lambda: StabilityProvider(services["stability"]),
        "openai": lambda: OpenAIProvider(services["openai"]),
        "webui": lambda: WebuiProvider(services["webui"]),
    }
    return makers[name]()
