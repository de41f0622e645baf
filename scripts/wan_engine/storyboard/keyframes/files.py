"""The provider that makes nothing: every keyframe is a file of the user's."""

from __future__ import annotations

from typing import Any

from wan_engine.render.events import CancelCheck
from wan_engine.storyboard.keyframes import PictureProvider, PictureRequest, ProviderError


class FilesProvider(PictureProvider):
    """Pictures from disk: `image` of each keyframe names them."""

    name = "files"

    def check(self) -> None:
        """Nothing can be missing but the pictures themselves."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Files have the size they have."""
        return width, height

    def identity(self) -> dict[str, Any]:
        """Nothing: it makes no pictures."""
        return {}

    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """Raise ProviderError: a picture is missing."""
        remedy = "Give its path as image, or let another provider make it"
        raise ProviderError("its picture is not given, and the provider files makes none", remedy)
