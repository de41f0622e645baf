"""What the hidden buttons of the page Film do: plan while one types, render, export, presets, files taken in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from wan_engine.settings import SETTINGS
from wan_webui.answers import FormError, answered, mailbox, note_of, number_of
from wan_webui.client import ClientError
from wan_webui.form_table import TEXT_FORMS, collect, fields_of
from wan_webui.page_actions import Html, PageActions
from wan_webui.timeline import hint_html, timeline_html

EMPTY_HINT = "Write prompts, one a line: the plan of the film appears here."
NO_ENGINE_HINT = "The plan appears here when the engine runs."
_WHOLE_FILE = {
    "message": "the text holds settings besides prompts",
    "remedy": "Take it in with Import, or leave only the prompts",
}


class FilmActions(PageActions):
    """The handlers of a page that makes films of its form's settings."""

    handlers = ("plan", "send", "read", "fill")
    empty_hint = EMPTY_HINT

    def plan(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """The mailbox's answer, and the timeline or what is wrong, with the number of what it answers."""
        if self._is_empty(note_of(payload), values):
            answer, shown = mailbox(payload), hint_html(self.empty_hint)
        else:
            answer, shown = answered(payload, lambda: self._timeline(note_of(payload), values))
        return answer, f'<div data-number="{number_of(payload)}">{shown}</div>'

    def send(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """Do what the payload asks with the form: render, export, save_preset. The mailbox's answer and problems."""
        asked = note_of(payload)
        sent: dict[str, Any] = {}

        def work() -> Html:
            if asked:
                sent.update(self._send(asked, values))
            return ""

        answer, problems = answered(payload, work)
        return mailbox(payload, **sent) if sent else answer, problems

    def settings(self, values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        """The form as settings that the engine takes, and notes. Raises ClientError, FormError with all problems."""
        settings, notes = collect(self._tables, values), []
        problems: list[Mapping[str, Any]] = []
        for spec in fields_of(self._tables):
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

    def _is_empty(self, _asked: Mapping[str, Any], values: Sequence[Any]) -> bool:
        """If there is nothing yet that could be planned."""
        return not str(collect(self._tables, values)["prompts"]).strip()

    def _order(self, _asked: Mapping[str, Any], values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        """What the engine is asked to plan or render, and notes. Raises ClientError, FormError."""
        settings, notes = self.settings(values)
        return {"settings": settings}, notes

    def _timeline(self, asked: Mapping[str, Any], values: Sequence[Any]) -> Html:
        try:
            order, notes = self._order(asked, values)
            answer = self._engine.plan(order)
        except ClientError as error:
            if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return hint_html(f"{NO_ENGINE_HINT} {error.message}.")
        drawn_seed = collect(self._tables, values)["seed"] == -1
        return timeline_html(answer["plan"], [*notes, *answer["notes"]], drawn_seed=drawn_seed)

    def _send(self, asked: Mapping[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        if asked["action"] == "render":
            order, _ = self._order(asked, values)
            return {"jobs": self._engine.render(order, str(asked.get("title", "")))["jobs"]}
        settings, _ = self.settings(values)
        if asked["action"] == "export":
            return self._engine.export_project(settings, str(asked["form"]))
        self._engine.save_preset(str(asked["name"]), settings)
        return {"preset": asked["name"]}

    def _wanted(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if "settings" in asked:
            return super()._wanted(asked)
        read = self._engine.import_project(str(asked["project"]), str(asked.get("name", "")))
        return read["settings"], {"notes": list(read["notes"])}

    def _other_problems(self, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is wrong beside the prompts, so that all of it is told together."""
        try:
            self._engine.plan({"settings": {**settings, "prompts": settings["prompts"] or {"0": ""}}})
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
