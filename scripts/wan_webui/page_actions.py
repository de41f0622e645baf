"""What the hidden buttons of every page do with its form: its values out to the script, settings back into it.

Nothing here raises: whatever goes wrong is a problem that the page shows in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from wan_webui.answers import answered, mailbox, note_of
from wan_webui.client import EngineClient
from wan_webui.dialect import file_paths, named_choices
from wan_webui.form_table import Tables, collect, restore
from wan_webui.model_choices import labelled, model_choices
from wan_webui.timeline import made_html

Html = str


class PageActions:
    """The handlers of a page. Each takes the payload and the values of the page's tables."""

    handlers: tuple[str, ...] = ("read", "fill")
    """The methods that a hidden button of the page calls."""

    def __init__(self, engine: EngineClient, tables: Tables) -> None:
        self._engine = engine
        self._tables = tables

    def read(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """The mailbox's answer with the form's settings, unchecked, and no problem."""
        return mailbox(payload, settings=collect(self._tables, values)), ""

    def fill(self, payload: str, *values: Any) -> list[Any]:
        """Fill the form with what the payload holds. The mailbox's answer, problems, all values."""
        asked, filled = note_of(payload), list(values)
        more: dict[str, Any] = {}

        def work() -> Html:
            if asked:
                filled[:], told = self._filled(asked)
                more.update(told)
            return ""

        answer, problems = answered(payload, work)
        return [answer if problems else mailbox(payload, **more), problems, *filled]

    def _filled(self, asked: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The values to fill the form with, and what else the page is told."""
        return restore(self._tables, asked["settings"]), {}


def uploader(engine: EngineClient, kind: str) -> Callable[[Any, str], tuple[str, Html]]:
    """The handler of an upload button of a setting of this kind: the control's new value and what is wrong."""

    def upload(picked: Any, text: str) -> tuple[str, Html]:
        value = text or ""

        def work() -> Html:
            nonlocal value
            for path in file_paths(picked):
                there = str(engine.upload(path)["path"])
                value = with_picture(value, there) if kind == "images" else there
            return ""

        _, problems = answered("", work)
        return value, problems

    return upload


def with_picture(text: str, path: str) -> str:
    """The text of the guided images with one more, on a frame of its own that the user then changes."""
    lines = text.rstrip().splitlines()
    key = f"max_f/{len(lines) + 1}" if lines else "max_f"
    return "\n".join([*lines, f"{key}: {path}"])


def made_film(engine: EngineClient) -> Callable[[str], tuple[Html, Html]]:
    """The handler that draws the film that a job has made: the mailbox's answer, the film's line of time or nothing."""

    def made(payload: str) -> tuple[Html, Html]:
        job = str(note_of(payload).get("job", ""))

        def work() -> Html:
            plan = engine.made_plan(job) if job else {}
            return f'<div data-job="{escape(job)}">{made_html(plan)}</div>' if plan else ""

        return answered(payload, work)

    return made


def model_finder(engine: EngineClient, names: Sequence[str]) -> Callable[[str], list[Any]]:
    """The handler that looks for models: the mailbox's answer, and the choices of the controls of these settings."""

    def models(payload: str) -> list[Any]:
        found: list[dict[str, Any]] = []

        def work() -> Html:
            found.extend(engine.models())
            return ""

        answer, _ = answered(payload, work)
        if not found:
            return [answer, *(gr.update() for _ in names)]
        found = labelled(found)
        choices = model_choices(found)
        # The page shows what the chosen model lacks; LoRAs, of which there may be very many, it need not know.
        told = [model for model in found if model.get("kind") != "lora"]
        return [mailbox(payload, models=told), *(gr.update(choices=named_choices(choices[name])) for name in names)]

    return models
