"""Many clients that ask for jobs, in a process of their own: `python poll_clients.py` with what to do on stdin as JSON.

It writes one JSON object: the number of answers and the quantiles of their times in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Polling:
    """What each client does. every: seconds between its requests, 0 for as fast as it can."""

    address: str
    headers: dict[str, str]
    jobs: list[str]
    every: float
    seconds: float


async def poll(wanted: Polling, number: int) -> list[float]:
    """Ask for one job again and again; the seconds that each answer took, its first, which connects, left out."""
    times: list[float] = []
    # A client each, as if it were a program each: one for all would wait for its own pool of connections.
    async with httpx.AsyncClient(
        base_url=wanted.address, headers=wanted.headers, timeout=60, trust_env=False, verify=False
    ) as client:
        await client.get(f"/jobs/{wanted.jobs[number]}")
        await asyncio.sleep(wanted.every * number / len(wanted.jobs))
        until = time.monotonic() + wanted.seconds
        while time.monotonic() < until:
            begun = time.perf_counter()
            answer = await client.get(f"/jobs/{wanted.jobs[number]}")
            taken = time.perf_counter() - begun
            assert answer.status_code == 200
            times.append(taken)
            await asyncio.sleep(max(0.0, wanted.every - taken))
    return times


async def run(wanted: Polling) -> dict[str, Any]:
    """One client for each job of the list, all at once."""
    found = await asyncio.gather(*(poll(wanted, number) for number in range(len(wanted.jobs))))
    times = sorted(taken * 1000 for each in found for taken in each)
    quantiles = {name: round(times[int(len(times) * share)], 1) for name, share in (("p50", 0.5), ("p95", 0.95))}
    return {
        "answers": len(times),
        "per_second": round(len(times) / wanted.seconds),
        **quantiles,
        "max": round(times[-1], 1),
    }


if __name__ == "__main__":
    json.dump(asyncio.run(run(Polling(**json.load(sys.stdin)))), sys.stdout)
