"""Speaks gradio 3.41, 4.40 and 6 alike: the few words in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

GRADIO_MAJOR = int(gr.__version__.split(".")[0])

_SCRIPT = "_js" if GRADIO_MAJOR < 4 else "js"


def page() -> Any:
    """A new gr.Blocks that fills the width it is given."""
    wide: dict[str, Any] = {"fill_width": True} if GRADIO_MAJOR > 4 else {}
    return gr.Blocks(analytics_enabled=False, title="Wan", **wide)


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
    more: dict[str, Any] = {"api_visibility": "private"} if GRADIO_MAJOR > 4 else {"api_name": False}
    if GRADIO_MAJOR > 3:
        # An answer that never comes must not block the next question, nor one window another.
        more.update(trigger_mode="multiple", concurrency_limit=None)
    if script:
        more[_SCRIPT] = script
    event(handler, list(inputs), list(outputs), queue=False, show_progress="hidden", **more)


def on_script(event: Callable[..., Any], script: str) -> None:
    """Run JavaScript at an event of a component; the server hears nothing of it."""
    event(None, None, None, **{_SCRIPT: script})


def file_paths(picked: Any) -> list[Path]:
    """Where gradio keeps the files that were picked: paths in newer versions, objects with a name in 3.41."""
    files: list[Any] = picked if isinstance(picked, list) else [] if picked is None else [picked]
    return [Path(getattr(each, "name", each)) for each in files]
