"""Cuts an endless row of frames into overlapping windows, of which only the middle counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wan_engine.tools.scenes.detector import Block


def windows(blocks: Iterable[Block], core: int, margin: int) -> Iterator[Block]:
    """Windows of `core` frames with `margin` more before and after them; the last core may be shorter.

    The film's first and last frame are repeated where there are no frames before or after. At most one window and one
    block are held.
    """
    import numpy as np

    held: list[Block] = []
    count = 0
    for block in blocks:
        if not len(block):
            continue
        if not held:
            held, count = [np.repeat(block[:1], margin, axis=0)], margin
        held.append(block)
        count += len(block)
        while count >= core + 2 * margin:
            together = np.concatenate(held)
            yield together[: core + 2 * margin]
            held = [together[core:].copy()]
            count -= core
    if count > margin:
        together = np.concatenate(held)
        # What is left holds the core and, if a window came before, not yet all of its frames after.
        padded = np.concatenate([together, np.repeat(together[-1:], margin, axis=0)])
        for start in range(0, len(together) - margin, core):
            yield padded[start : start + core + 2 * margin]
