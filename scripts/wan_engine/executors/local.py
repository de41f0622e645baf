"""Runs chains in this process, one after another: the executor of a machine with one device."""

from __future__ import annotations

from collections.abc import Sequence

from wan_engine.executors import Chain, Executor
from wan_engine.render.chain import render_chain
from wan_engine.render.clip import ChainJob


class LocalExecutor(Executor):
    """One chain at a time, in film order, so that the film can be encoded while it is rendered."""

    def run(self, job: ChainJob, chains: Sequence[Chain]) -> None:
        for chain in chains:
            render_chain(job, chain)
