"""What the hidden buttons of pages do that make films: plan while one types, and render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from wan_webui.answers import answered, mailbox, note_of, number_of
from wan_webui.client import ClientError
from wan_webui.form_table import collect
from wan_webui.page_actions import Html, PageActions
from wan_webui.timeline import hint_html, timeline_html

NO_ENGINE_HINT = "The plan appears here when the engine runs."


class PlannedActions(PageActions):
    """The handlers of a page that makes films. A member says what it orders, and what else it can send."""

    handlers: tuple[str, ...] = ("plan", "send", "read", "fill")
    empty_hint = ""
    """What stands in the plan's place while there is nothing to plan."""

    def plan(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """The mailbox's answer, and the timeline or what is wrong, with the number of what it answers."""
        asked, told = note_of(payload), self._told(values)
        if self._is_empty(asked, values):
            answer, shown = mailbox(payload, **told), hint_html(self.empty_hint)
        else:
            answer, shown = answered(payload, lambda: self._timeline(asked, values), **told)
        return answer, f'<div data-number="{number_of(payload)}">{shown}</div>'

    def send(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """Do what the payload asks with the form: render, or what the page can do more. The answer and problems."""
        asked = note_of(payload)
        sent: dict[str, Any] = {}

        def work() -> Html:
            if asked:
                sent.update(self._send(asked, values))
            return ""

        answer, problems = answered(payload, work)
        return mailbox(payload, **sent) if sent else answer, problems

    def _timeline(self, asked: Mapping[str, Any], values: Sequence[Any]) -> Html:
        try:
            order, notes = self._order(asked, values)
            answer = self._engine.plan(order)
        except ClientError as error:
            if error.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return hint_html(f"{NO_ENGINE_HINT} {error.message}.")
        drawn_seed = self._film(values)["seed"] == -1
        return timeline_html(answer["plan"], [*notes, *answer["notes"]], drawn_seed=drawn_seed)

    def _send(self, asked: Mapping[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        if asked["action"] != "render":
            return self._send_more(asked, values)
        order, _ = self._order(asked, values)
        return {"jobs": self._engine.render(order, str(asked.get("title", "")))["jobs"]}

    def _film(self, values: Sequence[Any]) -> dict[str, Any]:
        """The film's settings as the form holds them."""
        return collect(self._tables, values)

    def _told(self, _values: Sequence[Any]) -> dict[str, Any]:
        """What the page's script is told with each plan."""
        return {}

    def _is_empty(self, asked: Mapping[str, Any], values: Sequence[Any]) -> bool:
        """If there is nothing yet that could be planned."""
        raise NotImplementedError

    def _order(self, asked: Mapping[str, Any], values: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
        """What the engine is asked to plan or render, and notes. Raises ClientError, FormError."""
        raise NotImplementedError

    def _send_more(self, asked: Mapping[str, Any], values: Sequence[Any]) -> dict[str, Any]:
        """Do another action. Raises ClientError, FormError."""
        raise NotImplementedError
