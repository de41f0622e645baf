"""Builds the Wan tab: the form on one side, the film and the jobs on the other, and the wires between them.

What moves on the page (the running film, jobs, the engine's state) is done by javascript/*.js, which talk to
`/wan/v1/...` of the same server. Where Python is needed (the form's values) the script puts a note into the hidden
text box `wan_payload`, clicks a hidden button, and finds the answer in the hidden element `wan_answer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from wan_engine.families import FAMILIES
from wan_webui import services
from wan_webui.actions import EMPTY_HINT, Actions
from wan_webui.dialect import on, on_script, page
from wan_webui.fields import EMBEDDED, FIELDS, MODEL_FIELDS, SECTIONS, elem_id, help_text, own_values, unsaved
from wan_webui.forms import Form
from wan_webui.timeline import hint_html


class Wires:
    """The hidden elements by which page and handlers talk, made inside a gr.Blocks."""

    def __init__(self) -> None:
        with gr.Column(elem_id="wan_wires", elem_classes="wan-hidden"):
            self.payload = unsaved(gr.Textbox(label="Wan payload", elem_id="wan_payload"))
            self.answer = gr.HTML("", elem_id="wan_answer")
            self.plan = gr.Button("Wan plan", elem_id="wan_do_plan")
            self.send = gr.Button("Wan send", elem_id="wan_do_send")
            self.fill = gr.Button("Wan fill", elem_id="wan_do_fill")
            self.models = gr.Button("Wan models", elem_id="wan_do_models")


def build() -> gr.Blocks:
    """The tab as gradio Blocks, for the host that `services` serves."""
    blocks: gr.Blocks = page()
    with blocks, gr.Column(elem_id="wan"):
        gr.HTML(_mount("engine", _page_data()), elem_id="wan_engine_strip")
        gr.HTML(_mount("tools"), elem_id="wan_tools")
        with gr.Row(elem_id="wan_columns"):
            with gr.Column(elem_id="wan_form", scale=7, min_width=320):
                form, timeline = _form()
            with gr.Column(elem_id="wan_result", scale=5, min_width=320):
                problems = _result()
        wires = Wires()
        _wire(Actions(services.current().client), form, wires, timeline, problems)
    return blocks


def _form() -> tuple[Form, Any]:
    form = Form()
    form.prompts()
    timeline = gr.HTML(hint_html(EMPTY_HINT), elem_id="wan_timeline")
    form.settings()
    return form, timeline


def _result() -> Any:
    with gr.Row(elem_id="wan_actions"):
        gr.Button("Generate", variant="primary", elem_id="wan_generate")
        gr.Button("Queue", elem_id="wan_queue")
        gr.Button("Interrupt", variant="stop", elem_id="wan_interrupt")
        gr.Button("Skip", elem_id="wan_skip", elem_classes="wan-hidden")
    problems = gr.HTML("", elem_id="wan_problems")
    gr.HTML(_mount("film"), elem_id="wan_film")
    gr.HTML(_mount("jobs"), elem_id="wan_jobs")
    return problems


def _wire(actions: Actions, form: Form, wires: Wires, timeline: Any, problems: Any) -> None:
    inputs = [wires.payload, *form.components]
    models = [form.controls[name] for name in MODEL_FIELDS]
    _hidden(wires.plan, "plan", actions.plan, inputs, [wires.answer, timeline])
    _hidden(wires.send, "send", actions.send, inputs, [wires.answer, problems])
    _hidden(wires.fill, "fill", actions.fill, inputs, [wires.answer, problems, *form.components])
    _hidden(wires.models, "models", actions.models, [wires.payload], [wires.answer, *models])
    for name, button in form.uploads.items():
        control = form.controls[name]
        on(button.upload, actions.uploader(name), [button, control], [control, problems])
    for control in form.components:
        on_script(control.change, "() => { wanTab.changed(); return []; }")


def _hidden(button: Any, name: str, handler: Callable[..., Any], inputs: list[Any], outputs: list[Any]) -> None:
    """Let the page's script call a handler by `ask(name, note)`."""
    on(button.click, handler, inputs, outputs, f"(...values) => wanTab.post('{name}', values, {len(inputs)})")


def _mount(name: str, data: str = "") -> str:
    """The place where the script builds a part of the page."""
    given = f' data-page="{escape(data)}"' if data else ""
    return f'<div class="wan-mount" data-mount="{name}"{given}></div>'


def _page_data() -> str:
    """What the script has to know of the table of settings and of the models' families."""
    return json.dumps(
        {
            "help": {elem_id(spec.name): help_text(spec) for spec in FIELDS},
            "folds": {name: section.name for section in SECTIONS for row in section.more for name in row},
            "own": {family.label: own_values(family) for family in FAMILIES.values()},
            "embedded": EMBEDDED.label,
        }
    )
