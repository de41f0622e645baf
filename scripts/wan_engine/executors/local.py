"""Runs chains in this process, one after another: the executor of a machine with one device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wan_engine.executors import Chain, Executor


class LocalExecutor(Executor):
    """One chain at a time, in film order, so that the film can be encoded while it is rendered."""

    def run(self, chains: Sequence[Chain], render: Callable[[Chain], None]) -> None:
        for chain in chains:
            render(chain)
