"""Lays out the form: the groups of controls, each with its seldom-used ones in a closed accordion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from wan_engine.settings import SETTINGS
from wan_webui.fields import FIELDS, SECTIONS, UPLOADS, Row, Section, component, elem_id, unsaved

_BESIDE = {
    "model": '<span class="wan-space"></span><button type="button" class="wan-button" id="wan_models_refresh">'
    "Refresh models</button>"
}
"""HTML beside a group's title."""
_BELOW = {"model": '<div class="wan-mount" data-mount="downloads"></div>'}
"""HTML under a group's shown rows: a place where the script builds a part of the page."""


class Form:
    """The controls by setting, made inside a gr.Blocks."""

    def __init__(self) -> None:
        self.controls: dict[str, Any] = {}
        self.uploads: dict[str, Any] = {}

    @property
    def components(self) -> list[Any]:
        """All controls in the order of `FIELDS`."""
        return [self.controls[spec.name] for spec in FIELDS]

    def prompts(self) -> None:
        """Lay out the prompts."""
        self._section(SECTIONS[0])

    def settings(self) -> None:
        """Lay out all other groups."""
        for section in SECTIONS[1:]:
            self._section(section)

    def _section(self, section: Section) -> None:
        with gr.Column(elem_id=f"wan_section_{section.name}", elem_classes="wan-section"):
            if section.title:
                title = f'<h3 class="wan-title">{section.title}</h3>{_BESIDE.get(section.name, "")}'
                gr.HTML(f'<div class="wan-head">{title}</div>')
            self._rows(section.shown)
            if section.name in _BELOW:
                gr.HTML(_BELOW[section.name])
            if section.more:
                title = f"More: {section.title.lower()}"
                with gr.Accordion(title, open=False, elem_id=f"wan_more_{section.name}", elem_classes="wan-more"):
                    self._rows(section.more)

    def _rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            with gr.Row(elem_classes="wan-row"):
                for name in row:
                    self._control(name)

    def _control(self, name: str) -> None:
        if name not in UPLOADS:
            self.controls[name] = component(SETTINGS[name])
            return
        with gr.Row(elem_classes="wan-file"):
            self.controls[name] = component(SETTINGS[name])
            button = gr.UploadButton(
                "Choose file",
                file_types=list(UPLOADS[name]),
                file_count="multiple" if name == "guided_images" else "single",
                elem_id=f"{elem_id(name)}_upload",
                size="sm",
            )
            self.uploads[name] = unsaved(button)
