"""What an executor must do: see that every chain of a film is rendered. Only executors know of several devices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from wan_engine.plan.model import Clip

Chain = tuple[Clip, ...]
"""Clips that need each other's last frames, in film order."""


class Executor(ABC):
    """Runs a film's chains.

    Contract: `render` is called once with every chain; a chain is never started before an earlier one unless both can
    run at once; the first error stops the film and is raised when nothing runs any more.
    """

    @abstractmethod
    def run(self, chains: Sequence[Chain], render: Callable[[Chain], None]) -> None:
        """Render all chains; returns when the last one is done."""
