"""Builds the Wan tab: its pages on one side, the film and the jobs on the other, and the wires between them.

What moves on the page (the running film, jobs, the engine's state) is done by javascript/*.js, which talk to
`/wan/v1/...` of the same server. Where Python is needed (the form's values) the script puts a note into the hidden
text box `wan_payload`, clicks a hidden button, and finds the answer in the button's hidden mailbox. Each button has one
of its own: gradio shows what came in one moment at once, and of two answers in one element only the last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from wan_engine.families import FAMILIES
from wan_webui import services
from wan_webui.client import EngineClient
from wan_webui.dialect import on, on_script, page
from wan_webui.fields import unsaved
from wan_webui.film_form import EMBEDDED, MAKING, own_values
from wan_webui.form_table import Table, help_text
from wan_webui.forms import Form
from wan_webui.page_actions import made_film, model_finder, uploader
from wan_webui.pages import PAGES, Page
from wan_webui.timeline import hint_html

MOUNTS = ("engine", "tools", "result", "jobs", "downloads")
"""The parts of the page that the script builds, beside those of single pages and, last, their switcher."""


_BUTTONS = {
    "wan_generate": ("", "Begins the work of this page and shows how it goes (Ctrl+Enter)"),
    "wan_queue": ("", "Puts the work of this page behind what waits, without showing it"),
    "wan_interrupt": ("", "Stops within a step; what is finished is kept (Esc)"),
    "wan_models_refresh": ("", "Looks for models again"),
}
"""What is said of buttons that the script does not make, by id: more words of their label, and their tooltip."""


class Wires:
    """The hidden elements by which page and handlers talk, made inside a gr.Blocks."""

    def __init__(self) -> None:
        self.payload = unsaved(gr.Textbox(label="Wan payload", elem_id="wan_payload"))

    def connect(self, name: str, handler: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Let the page's script call a handler by `ask(name, note)`: the note comes first, the answer goes first."""
        answer = gr.HTML("", elem_id=f"wan_answer_{name}")
        button = gr.Button(f"Wan {name}", elem_id=f"wan_do_{name}")
        script = f"(...values) => wanTab.post('{name}', values, {len(inputs) + 1})"
        on(button.click, handler, [self.payload, *inputs], [answer, *outputs], script)


class Tab:
    """The tab's elements, made inside a gr.Blocks."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = pages
        self._forms = {table.name: Form(table) for each in pages for table in each.tables}
        self._plans: dict[str, Any] = {}
        gr.HTML(_mount("engine", self._data()), elem_id="wan_engine_strip")
        gr.HTML(_mount("pages"), elem_id="wan_pages")
        gr.HTML(_mount("tools"), elem_id="wan_tools")
        with gr.Row(elem_id="wan_columns"):
            with gr.Column(elem_id="wan_form", scale=7, min_width=320):
                for each in pages:
                    self._page(each)
                self._shared()
            with gr.Column(elem_id="wan_result", scale=5, min_width=320):
                self._problems, self._made = _result()

    def _page(self, given: Page) -> None:
        with gr.Column(elem_id=f"wan_page_{given.name}", elem_classes=["wan-page", f"wan-on-{given.name}"]):
            for table in given.own_tables:
                self._form(table).lay(given.sections(table, above=True))
            if given.mounted:
                gr.HTML(_mount(given.name))
            if given.planned:
                hint = hint_html(getattr(given.actions, "empty_hint", ""))
                made = gr.HTML(hint, elem_id=f"wan_{given.prefix}timeline", elem_classes="wan-timeline")
                self._plans[given.name] = made
            for table in given.own_tables:
                self._form(table).lay(given.sections(table, above=False))

    def _shared(self) -> None:
        """What all pages that make films have in common."""
        users = [f"wan-on-{each.name}" for each in self._pages if MAKING in each.tables]
        with gr.Column(elem_id="wan_making", elem_classes=["wan-page", *users]):
            self._form(MAKING).lay(MAKING.sections)

    def _form(self, table: Table) -> Form:
        return self._forms[table.name]

    def _data(self) -> str:
        """What the script has to know of pages, settings and the models' families."""
        tables = [form.table for form in self._forms.values()]
        pages = [
            {
                "name": each.name,
                "title": each.title,
                "verb": each.verb,
                "prefixes": list(dict.fromkeys(table.prefix for table in each.tables)),
            }
            for each in self._pages
        ]
        data = {
            "pages": pages,
            "mounts": [*MOUNTS, *(each.name for each in self._pages if each.mounted), "pages"],
            "help": {table.elem_id(spec.name): help_text(spec) for table in tables for spec in table.fields},
            "buttons": {**_BUTTONS, **self._uploads()},
            "folds": {name: fold for table in tables for name, fold in table.folds().items()},
            "own": {family.label: own_values(family) for family in FAMILIES.values()},
            "embedded": EMBEDDED.label,
        }
        return json.dumps(data)

    def _uploads(self) -> dict[str, tuple[str, str]]:
        """Whose file each button takes, and what that is, by the button's id."""
        return {
            form.table.upload_id(spec.name): (spec.label, help_text(spec))
            for form in self._forms.values()
            for spec in form.table.fields
            if spec.name in form.table.looks.uploads
        }

    def wire(self, engine: EngineClient) -> None:
        """Connect everything with its handlers."""
        with gr.Column(elem_id="wan_wires", elem_classes="wan-hidden"):
            wires = Wires()
            for each in self._pages:
                self._wire_page(wires, each, engine)
            pickers = [
                (form, name)
                for form in self._forms.values()
                for name in form.table.looks.models
                if name in form.controls
            ]
            names = [name for _, name in pickers]
            wires.connect("made", made_film(engine), [], [self._made])
            wires.connect("models", model_finder(engine, names), [], [form.controls[name] for form, name in pickers])
        for form in self._forms.values():
            self._wire_form(form, engine)

    def _wire_page(self, wires: Wires, given: Page, engine: EngineClient) -> None:
        actions = given.actions(engine, given.tables)
        components = [control for table in given.tables for control in self._form(table).components]
        outputs = {"plan": [self._plans.get(given.name)], "fill": [self._problems, *components]}
        for name in actions.handlers:
            wires.connect(given.prefix + name, getattr(actions, name), components, outputs.get(name, [self._problems]))

    def _wire_form(self, form: Form, engine: EngineClient) -> None:
        for name, button in form.uploads.items():
            control, kind = form.controls[name], form.table.specs[name].kind
            on(button.upload, uploader(engine, kind), [button, control], [control, self._problems])
        changes = [control.change for control in form.components]
        on_script(changes, "() => { wanTab.changed(); return []; }")


def build(pages: Sequence[Page] = PAGES) -> gr.Blocks:
    """The tab as gradio Blocks of its own, for the host that `services` serves."""
    blocks: gr.Blocks = page()
    with blocks:
        lay(pages)
    return blocks


def lay(pages: Sequence[Page] = PAGES) -> Any:
    """Make the tab's elements inside a gr.Blocks; the one that holds all others."""
    with gr.Column(elem_id="wan") as whole:
        Tab(pages).wire(services.current().client)
    return whole


class LateTab:
    """The tab as a WebUI's list of tabs takes it: it asks for `render()` inside its own page and then for `children`.

    Blocks of gradio would do too, but each makes a whole web application, which is thrown away when the WebUI takes
    the elements over: a tenth of a second of its start.
    """

    def __init__(self) -> None:
        self.children: list[Any] = []

    def render(self) -> None:
        """Make the tab where the WebUI is making its page. What fails is reported and leaves the rest of it whole."""
        try:
            self.children = [lay()]
        except Exception:  # noqa: BLE001  or the whole page of the WebUI is lost with it
            services.current().host.report("The Wan tab could not be built")


def _result() -> tuple[Any, Any]:
    """The right column: the elements of what is wrong, and of a film's line of time."""
    with gr.Row(elem_id="wan_actions"):
        gr.Button("Generate", variant="primary", elem_id="wan_generate")
        gr.Button("Queue", elem_id="wan_queue")
        gr.Button("Interrupt", variant="stop", elem_id="wan_interrupt")
        gr.Button("Skip", elem_id="wan_skip", elem_classes="wan-hidden")
    problems = gr.HTML("", elem_id="wan_problems")
    gr.HTML(_mount("result"), elem_id="wan_film")
    made = gr.HTML("", elem_id="wan_made", elem_classes="wan-timeline")
    gr.HTML(_mount("jobs"), elem_id="wan_jobs")
    return problems, made


def _mount(name: str, data: str = "") -> str:
    """The place where the script builds a part of the page."""
    given = f' data-page="{escape(data)}"' if data else ""
    return f'<div class="wan-mount" data-mount="{name}"{given}></div>'
