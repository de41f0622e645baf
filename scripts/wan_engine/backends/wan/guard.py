"""Turns what torch raises while it computes into the engine's errors, with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wan_engine.errors import OutOfMemoryError, RenderError
from wan_engine.models.devices import is_out_of_memory

_SMALLER = "Set a smaller width and height or a shorter clip_duration, or use a smaller model or another device"


@contextmanager
def guarded(doing: str) -> Iterator[None]:
    """Run the block without gradients. RuntimeErrors become OutOfMemoryError or RenderError that say what was done."""
    import torch

    try:
        with torch.no_grad():
            yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(f"The device ran out of memory while {doing}", _SMALLER) from error
        raise RenderError(f"torch failed while {doing}: {error}") from error
