"""Lays out a form: the groups of controls, each with its seldom-used ones in a closed accordion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from wan_webui.fields import component, unsaved
from wan_webui.form_table import Row, Section, Table


class Form:
    """The controls of a table by setting, made inside a gr.Blocks."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.controls: dict[str, Any] = {}
        self.uploads: dict[str, Any] = {}

    @property
    def components(self) -> list[Any]:
        """All controls in the order of the table's fields."""
        return [self.controls[spec.name] for spec in self.table.fields]

    def lay(self, sections: Sequence[Section]) -> None:
        """Make the controls of these sections of the table."""
        for section in sections:
            self._section(section)

    def _section(self, section: Section) -> None:
        elem_id = self.table.elem_id(f"section_{section.name}")
        with gr.Column(elem_id=elem_id, elem_classes="wan-section"):
            if section.title:
                title = f'<h3 class="wan-title">{section.title}</h3>{section.beside}'
                gr.HTML(f'<div class="wan-head">{title}</div>')
            self._rows(section.shown)
            if section.below:
                gr.HTML(section.below)
            if section.more:
                title, fold = f"More: {section.title.lower()}", self.table.elem_id(f"more_{section.name}")
                more = gr.Accordion(title, open=False, elem_id=fold, elem_classes="wan-more")
                with more if self.table.kept else unsaved(more):
                    self._rows(section.more)

    def _rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            with gr.Row(elem_classes="wan-row"):
                for name in row:
                    self._control(name)

    def _control(self, name: str) -> None:
        table = self.table
        spec, taken = table.specs[name], table.looks.uploads.get(name)
        if taken is None:
            self.controls[name] = component(table, spec)
            return
        with gr.Row(elem_classes="wan-file"):
            self.controls[name] = component(table, spec)
            button = gr.UploadButton(
                "Choose file",
                file_types=list(taken),
                file_count="multiple" if spec.kind == "images" else "single",
                elem_id=table.upload_id(name),
                size="sm",
            )
            self.uploads[name] = unsaved(button)
