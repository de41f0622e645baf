"""What an executor must do: see that every chain of a film is rendered. Only executors know of several devices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from wan_engine.plan.model import Clip
from wan_engine.render.clip import ChainJob

Chain = tuple[Clip, ...]
"""Clips that need each other's last frames, in film order."""


class Executor(ABC):
    """Runs a film's chains.

    Contract: every chain is rendered once into the job's store, and the job's `clip_ready` and `progress` are called
    by the thread that calls `run`. A chain is never started before an earlier one unless both can run at once. The
    user's wish to stop ends it within a step. The first error stops the film and is raised when nothing runs any more.
    """

    @abstractmethod
    def run(self, job: ChainJob, chains: Sequence[Chain]) -> None:
        """Render all chains; returns when the last one is done."""
