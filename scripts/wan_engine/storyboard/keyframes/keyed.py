"""What the providers that cost money have in common: an address, a key, a model and a price, as they are configured."""

from __future__ import annotations

from typing import Any

from wan_engine.errors import InputError, Problem
from wan_engine.storyboard.keyframes import PictureProvider
from wan_engine.storyboard.services import Service, how_to_set


class KeyedProvider(PictureProvider):
    """Pictures by a service that wants a key."""

    changes = True

    def __init__(self, service: Service) -> None:
        self._service = service

    def check(self) -> None:
        """Raise InputError without a key."""
        if not self._service.key:
            raise InputError(Problem(f"there is no key for {self.name}", how_to_set(self.name, "key"), "provider"))

    def identity(self) -> dict[str, Any]:
        """Its address and model."""
        return {"url": self._service.url, "model": self._service.model}

    def price(self) -> float | None:
        """As configured."""
        return self._service.price
