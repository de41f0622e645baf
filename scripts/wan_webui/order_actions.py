"""What the hidden buttons of pages do whose form, with what the script adds, is an order to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from wan_webui.answers import answered, mailbox, note_of
from wan_webui.form_table import collect
from wan_webui.page_actions import Html, PageActions


class OrderActions(PageActions):
    """The handlers of a page that orders something. A member says where each action's order goes."""

    handlers = ("send", "read", "fill")
    routes: ClassVar[Mapping[str, str]] = {}
    """The engine's route for each action that the script asks for."""

    def send(self, payload: str, *values: Any) -> tuple[Html, Html]:
        """Send the order to the engine: what the payload holds of it, and the form's settings.

        `settings` of the payload win over the form's. The mailbox's answer with the engine's `answer`, and problems.
        """
        asked = note_of(payload)
        told: dict[str, Any] = {}

        def work() -> Html:
            if asked:
                settings = {**collect(self._tables, values), **asked.get("settings", {})}
                order = {**asked["order"], "settings": settings}
                told["answer"] = self._engine.order(self.routes[asked["action"]], order)
            return ""

        answer, problems = answered(payload, work)
        return mailbox(payload, **told) if told else answer, problems


class SceneActions(OrderActions):
    """Of the page Scenes."""

    routes: ClassVar = {"split": "splits"}


class OutpaintActions(OrderActions):
    """Of the page Outpaint: a look at the canvas at once, and the job."""

    routes: ClassVar = {"look": "outpaints/look", "outpaint": "outpaints"}
