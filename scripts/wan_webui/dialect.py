"""Speaks gradio 3.41, 4.40 and 6 alike: the few words in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

GRADIO_MAJOR = int(gr.__version__.split(".")[0])

_SCRIPT = "_js" if GRADIO_MAJOR < 4 else "js"

_VALUES: dict[str, str] = {}
"""Value by name of every choice that a list of gradio 3.41 has offered; empty in newer versions."""


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


def on_script(events: Sequence[Callable[..., Any]], script: str) -> None:
    """Run JavaScript at these events of components; the server hears nothing of it."""
    if GRADIO_MAJOR > 3:
        # Once for all: each connection costs the page's building and its loading.
        gr.on(list(events), None, trigger_mode="multiple", **{_SCRIPT: script})
        return
    for event in events:
        event(None, None, None, **{_SCRIPT: script})


def named_choices(choices: Sequence[tuple[str, str]]) -> list[Any]:
    """The choices of a list, each a name that is shown and a value.

    A list of gradio 3.41 knows no names: it shows and gives what `chosen` and `shown` translate.
    """
    if GRADIO_MAJOR > 3:
        return list(choices)
    _VALUES.update(choices)
    return [name for name, _ in choices]


def chosen(given: str) -> str:
    """The value of what a list with named choices gives, or a text that was typed into it."""
    return _VALUES.get(given, given)


def shown(value: str) -> str:
    """What a list with named choices must hold to have this value."""
    return next((name for name, each in _VALUES.items() if value and each == value), value)


def file_paths(picked: Any) -> list[Path]:
    """Where gradio keeps the files that were picked: paths in newer versions, objects with a name in 3.41."""
    files: list[Any] = picked if isinstance(picked, list) else [] if picked is None else [picked]
    return [Path(getattr(each, "name", each)) for each in files]
