"""How a handler answers the page's script: a letter in the hidden mailbox, and what is wrong as a list."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from wan_engine.errors import WanError
from wan_webui.client import ClientError
from wan_webui.timeline import problems_html

log = logging.getLogger(__name__)


class FormError(WanError):
    """What stands in the form is wrong. problems: as `Problem.as_dict` writes them."""

    def __init__(self, problems: Sequence[Mapping[str, Any]]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(problem["message"]) for problem in problems))


def answered(payload: str, work: Callable[[], str], **told: Any) -> tuple[str, str]:
    """The mailbox's answer and the HTML that work gives, or the list of what is wrong. Never raises.

    told: for the page's script, in any case.
    """
    try:
        return mailbox(payload, **told), work()
    except (ClientError, FormError) as error:
        problems = error.problems or [{"message": error.message, "remedy": error.remedy}]
        return mailbox(payload, failed=True, **told), problems_html(problems)
    except Exception:
        log.exception("the tab's handler failed")
        problem = {"message": "the tab itself failed; the WebUI's log holds the reason", "remedy": ""}
        return mailbox(payload, failed=True, **told), problems_html([problem])


def mailbox(payload: str, **answer: Any) -> str:
    """An element whose attribute carries an answer to the page's script, with the number of what it answers."""
    number = number_of(payload)
    text = json.dumps({"number": number, **answer}, ensure_ascii=False)
    return f'<div data-number="{number}" data-answer="{escape(text)}"></div>'


def number_of(payload: str) -> int:
    """The number that the page's script gave its note; 0 for none."""
    return int(note_of(payload).get("number", 0))


def note_of(payload: str) -> dict[str, Any]:
    """What the page's script wrote. A button that was pressed by anything else has an empty one."""
    return dict(json.loads(payload)) if payload else {}
