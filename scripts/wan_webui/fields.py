"""Makes the gradio control of a setting, as its kind and its table's looks say."""

from __future__ import annotations

from typing import Any

import gradio as gr

from wan_engine.settings import SettingSpec
from wan_webui.form_table import Table

_FEW_CHOICES = 4
_ONE_LINE = ("path", "model", "fps", "int", "float")
_UNSAVED_KINDS = ("prompts", "images", "path", "paths", "model", "text")


def component(table: Table, spec: SettingSpec) -> Any:
    """The gradio component of a setting; inside a gr.Blocks."""
    made = _component(table, spec, {"label": spec.label, "elem_id": table.elem_id(spec.name)})
    return made if table.kept and spec.kind not in _UNSAVED_KINDS else unsaved(made)


def unsaved(made: Any) -> Any:
    """The component, kept out of the ui-config.json in which a WebUI lets values outlive a changed default."""
    made.do_not_save_to_config = True
    return made


def _component(table: Table, spec: SettingSpec, common: dict[str, Any]) -> Any:
    value, looks = table.value_of(spec, spec.default), table.looks
    if spec.kind == "bool":
        return gr.Checkbox(value=value, **common)
    if spec.name in looks.sliders:
        return gr.Slider(spec.minimum or 0, spec.maximum or 0, value=value, step=1, **common)
    if spec.kind in ("int", "float") and spec.name not in looks.own:
        # Limits are left to the engine: gradio would round silently, or raise an error without a place.
        return gr.Number(value=value, step=looks.steps.get(spec.name, 1), **common)
    if spec.kind == "choice":
        few = len(spec.choices) < _FEW_CHOICES
        return (gr.Radio if few else gr.Dropdown)(list(spec.choices), value=value, **common)
    if spec.name in looks.models:
        return gr.Dropdown([], value=value, allow_custom_value=True, **common)
    lines, most = looks.tall.get(spec.name, (1, 1 if spec.kind in _ONE_LINE else 6))
    placeholder = looks.examples.get(spec.name, "path of a file" if spec.name in looks.uploads else "")
    return gr.Textbox(value=value, lines=lines, max_lines=most, placeholder=placeholder, **common)
