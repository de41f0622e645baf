"""Speaks gradio 3.41, 4.40 and 6 alike: the few words in which their events differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

GRADIO_MAJOR = int(gr.__version__.split(".")[0])


def on(
    event: Callable[..., Any],
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    script: str = "",
) -> None:
    """Call `handler` at an event of a component, past gradio's queue and without its progress veil.

    script: JavaScript that gets the inputs (and in some versions the outputs behind them) and returns the inputs.
    """
    more: dict[str, Any] = {"api_visibility": "private"} if GRADIO_MAJOR > 5 else {"api_name": False}
    if GRADIO_MAJOR == 4:
        # Forge binds one worker to each handler: a second window would wait for the first.
        more["concurrency_limit"] = None
    if script:
        more["_js" if GRADIO_MAJOR < 4 else "js"] = script
    event(handler, list(inputs), list(outputs), queue=False, show_progress="hidden", **more)
