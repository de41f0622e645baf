"""Where loaded components are put: what every way of placing them does, and the simplest way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch


class Placer(Protocol):
    """Puts components where they run. name: of the component, as `source.WITH_WEIGHTS` names it."""

    def reads_to(self, name: str) -> str:
        """The device the weights are read to, as torch names it: the one it runs on spares main memory, else `cpu`."""

    def place(self, name: str, module: torch.nn.Module) -> None:
        """Put a component that was just loaded where it runs, or set up how it gets there."""


class AllOnDevice:
    """Everything is read to the device and stays there."""

    def __init__(self, device: str) -> None:
        self._device = device

    def reads_to(self, name: str) -> str:
        """The device itself."""
        return self._device

    def place(self, name: str, module: torch.nn.Module) -> None:
        """Move whatever is not there yet, such as buffers."""
        module.to(self._device)
