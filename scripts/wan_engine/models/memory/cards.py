"""Asks NVIDIA's driver which cards there are and how much of their memory is free: without torch, in no time."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_FIELDS = "index,uuid,name,memory.free,memory.total"
_SECONDS = 20
_MEGABYTE = 1024**2
_FRESH_SECONDS = 3.0
"""As long an answer is taken again: a page plans at every key that is pressed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Card:
    """An NVIDIA card. free, total: bytes of its memory."""

    index: int
    uuid: str
    name: str
    free: int
    total: int


def nvidia_cards() -> tuple[Card, ...]:
    """The cards the driver knows, whatever torch is; none without a driver."""
    return _asked_at(int(time.monotonic() / _FRESH_SECONDS))


def seen_by_cuda(cards: Sequence[Card], environ: Mapping[str, str] = os.environ) -> tuple[Card, ...]:
    """The cards in the order in which CUDA numbers them: those that CUDA_VISIBLE_DEVICES names, else all."""
    wanted = environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return tuple(cards)
    named = (name.strip() for name in wanted.split(",") if name.strip())
    found = (next((card for card in cards if name in (str(card.index), card.uuid)), None) for name in named)
    return tuple(card for card in found if card is not None)


@lru_cache(maxsize=1)
def _asked_at(moment: int) -> tuple[Card, ...]:
    """The answer of one moment. moment: not looked at; another one asks anew."""
    program = shutil.which("nvidia-smi")
    if not program:
        return ()
    command = [program, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603
        return tuple(_card(line) for line in answer.stdout.splitlines() if line.strip())
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log.info("nvidia-smi gives no answer: %s", error)
        return ()


def _card(line: str) -> Card:
    """One line of the answer. Raises ValueError for another."""
    index, uuid, name, free, total = (part.strip() for part in line.split(","))
    return Card(int(index), uuid, name, int(free) * _MEGABYTE, int(total) * _MEGABYTE)
