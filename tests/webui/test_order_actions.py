"""Pages that order something: the form's settings and the script's part of the order go to the engine as one."""

from __future__ import annotations

import json
from typing import Any

from wan_engine.settings_outpaint import OUTPAINT_SETTINGS
from wan_engine.settings_split import SPLIT_SETTINGS
from wan_webui import outpaint_form, scene_form
from wan_webui.client import ClientError
from wan_webui.form_table import restore
from wan_webui.order_actions import SceneActions
from wan_webui.outpaint_form import OUTPAINT
from wan_webui.scene_form import SCENES
from webui.letters import letter


class Engine:
    """Takes orders as the client does."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, dict[str, Any]]] = []

    def order(self, route: str, order: dict[str, Any]) -> dict[str, Any]:
        """Keep it; a film that is not there is refused."""
        if order["films"] == ["none.mp4"]:
            raise ClientError({"status": 422, "problems": [{"message": "leads to no film", "field": "films"}]})
        self.orders.append((route, order))
        return {"id": "job"}


def send(engine: Engine, **note: Any) -> tuple[dict[str, Any], str]:
    values = restore((SCENES,), {"threshold": 0.3})
    actions = SceneActions(engine, (SCENES,))  # type: ignore[arg-type]
    answer, problems = actions.send(json.dumps({"number": 3, "action": "split", **note}), *values)
    return letter(answer), problems


def test_an_order_is_the_form_and_what_the_script_adds() -> None:
    engine = Engine()
    told, problems = send(engine, order={"films": ["a.mp4"], "scenes": [[0, 5]]}, settings={"list_only": True})
    assert (told, problems) == ({"number": 3, "answer": {"id": "job"}}, "")
    ((route, order),) = engine.orders
    assert (route, order["films"], order["scenes"]) == ("splits", ["a.mp4"], [[0, 5]])
    assert order["settings"]["threshold"] == 0.3
    assert order["settings"].keys() == SPLIT_SETTINGS.keys()


def test_what_is_wrong_is_told() -> None:
    told, problems = send(Engine(), order={"films": ["none.mp4"]})
    assert told["failed"]
    assert "leads to no film" in problems


def test_every_setting_has_a_control_or_a_reason() -> None:
    pages = [(SCENES, scene_form.NOT_SHOWN, SPLIT_SETTINGS), (OUTPAINT, outpaint_form.NOT_SHOWN, OUTPAINT_SETTINGS)]
    for table, hidden, settings in pages:
        shown = [spec.name for spec in table.fields]
        assert {*shown} | hidden.keys() == settings.keys()
        assert len(shown) == len(settings) - len(hidden)
