"""How fast this machine is here and now, for limits of processor time: they are promised for a machine as of 2026."""

from __future__ import annotations

import time

_USUAL = 0.03
"""Seconds that the loop below takes on a core of a server of 2026 that has nothing else to do."""


def slowness() -> float:
    """How many times as long as there Python takes here, at least 1; it also counts what a busy machine loses."""

    def seconds() -> float:
        start = time.process_time()
        sum(len(str(number)) for number in range(400_000))
        return time.process_time() - start

    return max(1.0, min(seconds() for _ in range(3)) / _USUAL)
