"""What the tab's buttons do: the form's values go to the engine, its answer comes back as HTML and values.

Nothing here raises: whatever goes wrong is a problem that the page shows in place.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from html import escape
from http import HTTPStatus
from typing import Any

import gradio as gr

from wan_engine.errors import WanError
from wan_engine.settings import SETTINGS
from wan_webui.client import ClientError, EngineClient
from wan_webui.dialect import file_path
from wan_webui.fields import FIELDS, MODEL_FIELDS, TEXT_FORMS, collect, restore
from wan_webui.model_choices import model_choices, model_label
from wan_webui.timeline import hint_html, problems_html, timeline_html

log = logging.getLogger(__name__)

EMPTY_HINT = "Write prompts, one a line: the plan of the film appears here."
NO_ENGINE_HINT = "The plan appears here when the engine runs."
_WHOLE_FILE = {
    "message": "the text holds settings besides prompts",
    "remedy": "Take it in with Import, or leave only the prompts",
}


class FormError(WanError):
    """What stands in the form is wrong. problems: as `Problem.as_dict` writes them."""

    def __init__(self, problems: Sequence[Mapping[str, Any]]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(problem["message"]) for problem in problems))


class Actions:
    """The handlers of the tab."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    def settings(self, values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        """The form as settings that the engine takes, and notes. Raises ClientError, FormError with all problems."""
        settings, notes = collect(values), []
        problems: list[Mapping[str, Any]] = []
        for spec in FIELDS:
            if spec.kind in TEXT_FORMS:
                try:
                    settings[spec.name], more = self._entries(spec.name, settings[spec.name])
                    notes += more
                except FormError as error:
                    problems += error.problems
                    settings[spec.name] = {}
        if problems:
            raise FormError([*problems, *self._other_problems(settings)])
        return settings, notes

    def _other_problems(self, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is wrong beside the prompts, so that all of it is told together."""
        try:
            self._engine.plan({**settings, "prompts": settings["prompts"] or {"0": ""}})
        except ClientError as error:
            return error.problems
        return []

    def _entries(self, name: str, text: str) -> tuple[dict[str, str], list[str]]:
        """Prompts or pictures by key, as the engine reads them from the text."""
        if not text.strip():
            return {}, []
        try:
            read = self._engine.import_project(text, "")
        except ClientError as error:
            if not error.problems:
                raise
            raise FormError([{**problem, "field": name} for problem in error.problems]) from error
        given = {key for key, value in read["settings"].items() if value != SETTINGS[key].default}
        if given - {"prompts"}:
            raise FormError([{**_WHOLE_FILE, "field": name}])
        return dict(read["settings"]["prompts"]), list(read["notes"])

    def plan(self, payload: str, *values: Any) -> tuple[str, str]:
        """The mailbox's answer, and the timeline or what is wrong, with the number of what it answers."""
        if str(collect(values)["prompts"]).strip():
            answer, shown = self._answered(payload, lambda: self._timeline(values))
        else:
            answer, shown = mailbox(payload), hint_html(EMPTY_HINT)
        return answer, f'<div data-number="{number_of(payload)}">{shown}</div>'

    def _timeline(self, values: Sequence[Any]) -> str:
        try:
            settings, notes = self.settings(values)
            answer = self._engine.plan(settings)
        except ClientError as error:
            if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return hint_html(f"{NO_ENGINE_HINT} {error.message}.")
        return timeline_html(answer["plan"], [*notes, *answer["notes"]], drawn_seed=settings["seed"] == -1)

    def send(self, payload: str, *values: Any) -> tuple[str, str]:
        """Do what the payload asks with the form: render, export, save_preset. The mailbox's answer and problems."""
        asked = note_of(payload)
        sent: dict[str, Any] = {}

        def work() -> str:
            if asked:
                settings, _ = self.settings(values)
                sent.update(self._send(asked, settings))
            return ""

        answer, problems = self._answered(payload, work)
        return mailbox(payload, **sent) if sent else answer, problems

    def _send(self, asked: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        if asked["action"] == "render":
            return {"jobs": self._engine.render(settings, str(asked.get("title", "")))["jobs"]}
        if asked["action"] == "export":
            return self._engine.export_project(settings, str(asked["form"]))
        self._engine.save_preset(str(asked["name"]), settings)
        return {"preset": asked["name"]}

    def fill(self, payload: str, *values: Any) -> list[Any]:
        """Fill the form with the payload's settings or project file. The mailbox's answer, problems, all values."""
        asked = note_of(payload)
        filled, notes = list(values), []

        def work() -> str:
            nonlocal filled, notes
            settings = asked.get("settings")
            if not asked:
                return ""
            if settings is None:
                read = self._engine.import_project(str(asked["project"]), str(asked.get("name", "")))
                settings, notes = read["settings"], list(read["notes"])
            filled = restore(settings)
            return ""

        answer, problems = self._answered(payload, work)
        return [answer if problems else mailbox(payload, notes=notes), problems, *filled]

    def models(self, payload: str) -> list[Any]:
        """The mailbox's answer with the models that are there, and the choices of each control that names one."""
        found: list[dict[str, Any]] = []

        def work() -> str:
            found.extend(self._engine.models())
            return ""

        answer, _ = self._answered(payload, work)
        if not found:
            return [answer, *(gr.update() for _ in MODEL_FIELDS)]
        choices = model_choices(found)
        # The page shows what the chosen model lacks; LoRAs, of which there may be very many, it need not know.
        told = [{**model, "label": model_label(model)} for model in found if model.get("kind") != "lora"]
        return [mailbox(payload, models=told), *(gr.update(choices=choices[name]) for name in MODEL_FIELDS)]

    def uploader(self, name: str) -> Callable[[Any, str], tuple[str, str]]:
        """The handler of a setting's upload button: the control's new value and what is wrong."""

        def upload(picked: Any, text: str) -> tuple[str, str]:
            if picked is None:
                return text, ""
            value = text or ""

            def work() -> str:
                nonlocal value
                path = str(self._engine.upload(file_path(picked))["path"])
                value = with_picture(value, path) if SETTINGS[name].kind == "images" else path
                return ""

            _, problems = self._answered("", work)
            return value, problems

        return upload

    def _answered(self, payload: str, work: Callable[[], str]) -> tuple[str, str]:
        """The mailbox's answer and the HTML that work gives, or the list of what is wrong."""
        try:
            return mailbox(payload), work()
        except (ClientError, FormError) as error:
            problems = error.problems or [{"message": error.message, "remedy": error.remedy}]
            return mailbox(payload, failed=True), problems_html(problems)
        except Exception:
            log.exception("the tab's handler failed")
            problem = {"message": "the tab itself failed; the WebUI's log holds the reason", "remedy": ""}
            return mailbox(payload, failed=True), problems_html([problem])


def with_picture(text: str, path: str) -> str:
    """The text of the guided images with one more, on a frame of its own that the user then changes."""
    lines = text.rstrip().splitlines()
    key = f"max_f/{len(lines) + 1}" if lines else "max_f"
    return "\n".join([*lines, f"{key}: {path}"])


def mailbox(payload: str, **answer: Any) -> str:
    """An element whose attribute carries an answer to the page's script, with the number of what it answers."""
    text = json.dumps({"number": number_of(payload), **answer}, ensure_ascii=False)
    return f'<div data-answer="{escape(text)}"></div>'


def number_of(payload: str) -> int:
    """The number that the page's script gave its note; 0 for none."""
    return int(note_of(payload).get("number", 0))


def note_of(payload: str) -> dict[str, Any]:
    """What the page's script wrote. A button that was pressed by anything else has an empty one."""
    return dict(json.loads(payload)) if payload else {}
