"""What a provider of keyframe pictures must do: turn words, and perhaps the keyframe before, into one picture.

A provider is one file with one `PictureProvider`, entered in `registry.py`, `settings_pictures` and, if it is paid, in
its `PAID_PROVIDERS`. The same tests run over all of them (`tests/storyboard/keyframes/test_interface.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_engine.errors import WanError
from wan_engine.render.events import CancelCheck


@dataclass(frozen=True)
class PictureRequest:
    """One picture that is wanted.

    width, height: in pixels, as the provider's `size` gave them.  seed: 0 or more; providers without seeds leave it.
    steps, guidance: 0 takes the provider's own.  start: the keyframe before, to be changed by `strength` (0 to 1).
    mask: a grey picture; where it is white the start is made new, where it is black it stays.
    """

    prompt: str
    width: int
    height: int
    negative: str = ""
    seed: int = 0
    steps: int = 0
    guidance: float = 0.0
    start: Path | None = None
    strength: float = 0.0
    mask: Path | None = None


class ProviderError(WanError):
    """A provider did not make a picture.

    again: whether trying again can help.  after: seconds to wait before that.  for_all: no other picture would be made
    either.
    """

    exit_code = 5

    def __init__(
        self, message: str, remedy: str = "", again: bool = False, after: float | None = None, for_all: bool = False
    ) -> None:
        self.again = again
        self.after = after
        self.for_all = for_all
        super().__init__(message, remedy)


class PictureProvider(ABC):
    """Makes pictures. Made once for a storyboard, used for its keyframes one after the other, closed at the end.

    name: as in the settings.  changes, masks: whether it can start from a picture, and keep a part of it.
    local: whether it computes on this machine's own device.  asks_webui: whether the WebUI computes, with its own
    memory.
    """

    name: str
    changes: bool = False
    masks: bool = False
    local: bool = False
    asks_webui: bool = False

    @abstractmethod
    def check(self) -> None:
        """Raise what would stop every picture: no key, no folder. Asks no service."""

    @abstractmethod
    def size(self, width: int, height: int) -> tuple[int, int]:
        """The size that it makes for a film of this size, of about the same shape."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What else decides how its pictures look, such as its model: JSON-able, no keys."""

    @abstractmethod
    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """The picture, as the bytes of a PNG, JPEG or WebP file. Raises ProviderError, Cancelled, ModelError."""

    def price(self) -> float | None:
        """Dollars a picture; None if not known."""
        return 0.0

    def close(self) -> None:  # noqa: B027  most have nothing to give back
        """Give memory and connections back. May be called twice."""
