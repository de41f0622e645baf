"""What the hidden buttons of the page Film do: plan while one types, render, export, presets, files taken in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wan_engine.settings import SETTINGS
from wan_webui.answers import FormError
from wan_webui.client import ClientError
from wan_webui.form_table import TEXT_FORMS, collect, fields_of, restore
from wan_webui.planned_actions import PlannedActions

_WHOLE_FILE = {
    "message": "the text holds settings besides prompts",
    "remedy": "Take it in with Import, or leave only the prompts",
}


class FilmActions(PlannedActions):
    """The handlers of the page whose form is the film's settings."""

    empty_hint = "Write prompts, one a line: the plan of the film appears here."

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
        return not str(collect(self._tables, values)["prompts"]).strip()

    def _order(self, _asked: Mapping[str, Any], values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        settings, notes = self.settings(values)
        return {"settings": settings}, notes

    def _send_more(self, asked: Mapping[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        settings, _ = self.settings(values)
        if asked["action"] == "export":
            return self._engine.export_project(settings, str(asked["form"]))
        self._engine.save_preset(str(asked["name"]), settings)
        return {"preset": asked["name"]}

    def _filled(self, asked: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        if "settings" in asked:
            return super()._filled(asked)
        read = self._engine.import_project(str(asked["project"]), str(asked.get("name", "")))
        return restore(self._tables, read["settings"]), {"notes": list(read["notes"])}

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
