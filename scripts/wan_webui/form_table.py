"""What a table of settings is as a form: which control stands where, and how its values become settings and back.

A page of the tab shows the controls of one or more tables, one behind the other. Handlers get their values by position
in the order of `Table.fields`; `collect` names them, `restore` gives the values for settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wan_engine.settings import SettingSpec
from wan_webui.dialect import chosen, shown

ID_PREFIX = "wan_"
"""Begins the id of every element of the tab."""

TEXT_FORMS = ("prompts", "images")
"""Kinds that a form holds as a text, one entry a line or JSON; the engine reads it."""

Row = tuple[str, ...]
"""Settings whose controls stand beside each other."""


@dataclass(frozen=True)
class Section:
    """One group of a form: the rows that are always seen, and those in a closed accordion.

    title: above it; empty where the first control's label says it.  beside: HTML beside the title.  below: HTML under
    the shown rows.
    """

    name: str
    title: str
    shown: tuple[Row, ...]
    more: tuple[Row, ...] = ()
    beside: str = ""
    below: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Its settings in the order of their controls."""
        return tuple(name for row in (*self.shown, *self.more) for name in row)


@dataclass(frozen=True)
class Looks:
    """What is not as usual about the controls of single settings, by name.

    uploads: settings whose file can be picked in the browser, with gradio's words for what is taken.
    models: settings that name a model or a part of one: a list of what is there, and any path.
    own: settings of which 0 leaves the choice to the model: a box for text, for in one for numbers not every gradio
    can show the model's own value while it is empty.
    tall: lines of text boxes, at first and at most.  examples: what an empty box shows.
    sliders: whole numbers with a slider.  steps: by how much the arrows of a number change it, where that is not 1.
    """

    uploads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    tall: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    sliders: tuple[str, ...] = ()
    steps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of settings, or a part of one, as a form.

    name: no two have the same.  specs: the settings by name.  prefix: begins the ids of its elements.
    kept: a WebUI may keep the values of its plain controls in ui-config.json, under their labels: those of the film's
    settings, which were there first.
    """

    name: str
    specs: Mapping[str, SettingSpec]
    sections: tuple[Section, ...]
    prefix: str
    looks: Looks = Looks()
    kept: bool = False

    @property
    def fields(self) -> tuple[SettingSpec, ...]:
        """The settings with a control, in the order of the components."""
        return tuple(self.specs[name] for section in self.sections for name in section.names)

    def elem_id(self, name: str) -> str:
        """The id of a setting's element."""
        return self.prefix + name

    def upload_id(self, name: str) -> str:
        """The id of the button that picks a setting's file."""
        return f"{self.elem_id(name)}_upload"

    def folds(self) -> dict[str, str]:
        """The id of the accordion in which a setting is folded away, by the id of the setting."""
        return {
            self.elem_id(name): self.elem_id(f"more_{section.name}")
            for section in self.sections
            for row in section.more
            for name in row
        }

    def value_of(self, spec: SettingSpec, value: Any) -> Any:
        """A setting's value as its control holds it."""
        if spec.kind in TEXT_FORMS:
            return entries_text(value)
        if spec.name in self.looks.own:
            return "" if str(value) in ("0", "0.0") else f"{value}"
        if spec.name in self.looks.models:
            return shown(str(value))
        return value if spec.kind in ("bool", "int", "float") else str(value)

    def setting_of(self, spec: SettingSpec, value: Any) -> Any:
        """A control's value as the engine takes it; prompts and pictures as the texts they were written as."""
        if spec.name in self.looks.own:
            return str(value or "").strip() or spec.default
        if spec.kind in ("bool", "int", "float"):
            return value
        text = "" if value is None else str(value)
        if spec.name in self.looks.models:
            text = chosen(text)
        # People paste paths with quotes around them, as their file manager copies them.
        return text.strip().strip("\"'") if spec.kind in ("path", "model") else text


Tables = Sequence[Table]
"""Whose values come one behind the other."""


def with_rest(
    sections: Sequence[Section], specs: Mapping[str, SettingSpec], hidden: Sequence[str] = ()
) -> Iterator[Section]:
    """The sections; a setting that stands in none gets a row at the end of the accordion of its group's section."""
    arranged = {*hidden, *(name for section in sections for name in section.names)}
    for section in sections:
        rest = (spec.name for spec in specs.values() if spec.group == section.name and spec.name not in arranged)
        yield replace(section, more=(*section.more, *((name,) for name in rest)))


def help_text(spec: SettingSpec) -> str:
    """What a setting does, with its range and unit, in one plain text."""
    if spec.minimum is None or spec.maximum is None:
        return spec.help
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.help} Range: {spec.minimum:.10g} to {spec.maximum:.10g}{unit}."


def fields_of(tables: Tables) -> list[SettingSpec]:
    """The settings of all these tables in the order of their values."""
    return [spec for table in tables for spec in table.fields]


def collect(tables: Tables, values: Sequence[Any]) -> dict[str, Any]:
    """The settings of the form by name; prompts and guided images as the texts they were written as."""
    placed = [(table, spec) for table in tables for spec in table.fields]
    if len(values) != len(placed):
        raise ValueError(f"the form has {len(placed)} values, {len(values)} came")
    return {spec.name: table.setting_of(spec, value) for (table, spec), value in zip(placed, values, strict=True)}


def restore(tables: Tables, settings: Mapping[str, Any]) -> list[Any]:
    """The values of all controls for these settings; what is not given has its default."""
    return [table.value_of(spec, settings.get(spec.name, spec.default)) for table in tables for spec in table.fields]


def differing(settings: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """The settings that are not as the tables have them from the start: what a file for people holds."""
    usual = {spec.name: spec.default for spec in fields_of(tables)}
    return {name: value for name, value in settings.items() if value != usual[name] and str(value) != str(usual[name])}


def entries_text(entries: Mapping[str, str]) -> str:
    """Prompts or pictures by key as the text of the form: one entry a line, or JSON where a line cannot hold them."""
    if all(_fits_a_line(key, text) for key, text in entries.items()):
        return "\n".join(f"{key}: {text}" for key, text in entries.items())
    return json.dumps(dict(entries), indent=2, ensure_ascii=False)


def _fits_a_line(key: str, text: str) -> bool:
    plain = key == key.strip() and text == text.strip() and len((key + text).splitlines()) == 1
    return plain and bool(key) and ":" not in key and not key.startswith(("#", '"', "'", "{", "["))
