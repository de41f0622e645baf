"""What the hidden buttons of the page Storyboard do: its words come from the script, all else from the form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wan_webui.answers import mailbox
from wan_webui.film_form import MAKING
from wan_webui.form_table import collect, differing, restore
from wan_webui.page_actions import Html
from wan_webui.planned_actions import PlannedActions
from wan_webui.storyboard_form import PICTURES, STORY_FILM

FILM_TABLES = (STORY_FILM, MAKING)
"""The tables of the storyboard's film; `PICTURES` has settings of the same names."""
TABLES = (PICTURES, *FILM_TABLES)


class StoryboardActions(PlannedActions):
    """The handlers of the page. The payload's `storyboard` is one without `film` and `pictures`."""

    handlers = ("plan", "read", "fill")
    empty_hint = "Plan a storyboard, or add a segment: the plan of the film appears here."

    def read(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """The mailbox's answer with the storyboard's `film` and `pictures`, what is as usual left out."""
        return mailbox(payload, **_said(values)), ""

    def _told(self, values: Sequence[Any]) -> dict[str, Any]:
        pictures, film = _parted(values)
        # The page remembers them: a reload gives back what stood in the form.
        return {"form": {"pictures": pictures, "film": film}}

    def _film(self, values: Sequence[Any]) -> dict[str, Any]:
        return _parted(values)[1]

    def _is_empty(self, asked: Mapping[str, Any], _values: Sequence[Any]) -> bool:
        return not asked.get("storyboard", {}).get("segments")

    def _order(self, asked: Mapping[str, Any], values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        return {"project": json.dumps({**asked["storyboard"], "kind": "storyboard", **_said(values)})}, []

    def _filled(self, asked: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        pictures, film = restore((PICTURES,), asked["pictures"]), restore(FILM_TABLES, asked["film"])
        return [*pictures, *film], {}


def _parted(values: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the pictures and those of the film."""
    count = len(PICTURES.fields)
    return collect((PICTURES,), values[:count]), collect(FILM_TABLES, values[count:])


def _said(values: Sequence[Any]) -> dict[str, Any]:
    """The form in the words of a storyboard's file."""
    pictures, film = _parted(values)
    return {"pictures": differing(pictures, (PICTURES,)), "film": differing(film, FILM_TABLES)}
