"""Every setting has its control, and what stands in the controls is what the engine gets."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wan_engine.families import FAMILIES
from wan_engine.schedule.documents import read_json
from wan_engine.schedule.lines import read_lines
from wan_engine.settings import SETTINGS, SettingSpec, settings_to_mapping
from wan_engine.settings_check import settings_from_mapping
from wan_webui import fields

WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)
LINES = st.one_of(WORDS, st.sampled_from(["", "a\nb", "#x", " padded ", '{"0"}', "`t`", "a: b", "x\u2028y"]))
KEYS = st.one_of(st.integers(0, 500).map(str), st.sampled_from(["12.5s", "max_f-1", "max_f/2", " 30", "1:2", "#4"]))
ENTRIES = st.dictionaries(KEYS, LINES, max_size=5)


def value_for(spec: SettingSpec) -> st.SearchStrategy[Any]:
    low, high = spec.minimum or 0, spec.maximum or 0
    return {
        "bool": st.booleans(),
        "int": st.integers(int(low), int(high)),
        "float": st.floats(low, high, allow_nan=False),
        "choice": st.sampled_from(spec.choices or ("",)),
        "fps": st.sampled_from(["16", "23.976", "30000/1001"]),
        "prompts": ENTRIES,
        "images": ENTRIES,
        "path": st.sampled_from(["", "/films/a b.png", "C:\\films\\a.png"]),
    }.get(spec.kind, WORDS)


SETTINGS_VALUES = st.fixed_dictionaries({name: value_for(spec) for name, spec in SETTINGS.items()})


def test_every_setting_has_a_control_or_a_reason() -> None:
    shown = [spec.name for spec in fields.FIELDS]
    assert len(set(shown)) == len(shown)
    assert set(shown) | set(fields.NOT_SHOWN) == set(SETTINGS)
    assert not set(shown) & set(fields.NOT_SHOWN)


@pytest.fixture(scope="module")
def components() -> list[Any]:
    with gr.Blocks():
        return [fields.component(spec) for spec in fields.FIELDS]


def test_labels_and_ids_are_unique(components: list[Any]) -> None:
    assert len({component.label for component in components}) == len(fields.FIELDS)
    assert [component.elem_id for component in components] == [f"wan_{spec.name}" for spec in fields.FIELDS]


def test_a_new_form_holds_the_defaults(components: list[Any]) -> None:
    assert [component.value for component in components] == fields.restore({})


def test_what_a_person_writes_is_kept_out_of_the_hosts_configuration(components: list[Any]) -> None:
    for spec, component in zip(fields.FIELDS, components, strict=True):
        kept = getattr(component, "do_not_save_to_config", False)
        assert kept == (spec.kind in ("prompts", "images", "path", "text"))


@settings(max_examples=25)
@given(SETTINGS_VALUES)
def test_values_come_back_as_they_were(values: dict[str, Any]) -> None:
    once = fields.restore(values)
    collected = fields.collect(once)
    for spec in fields.FIELDS:
        if spec.kind not in ("prompts", "images"):
            assert collected[spec.name] == values[spec.name]
    assert fields.restore({**collected, "prompts": values["prompts"], "guided_images": values["guided_images"]}) == once


@given(st.dictionaries(st.integers(0, 500).map(str) | st.just("max_f-1"), LINES, min_size=1, max_size=5))
def test_the_engine_reads_the_prompts_as_the_form_shows_them(prompts: dict[str, str]) -> None:
    text = fields.entries_text(prompts)
    read = read_json(text) if text.startswith("{") else read_lines(text)
    assert read.value == prompts


def test_the_defaults_are_good_settings() -> None:
    collected = fields.collect(fields.restore({}))
    collected.update(prompts={}, guided_images={})
    assert settings_to_mapping(settings_from_mapping(collected)) == settings_to_mapping(settings_from_mapping({}))


def test_a_pasted_path_loses_its_quotes() -> None:
    values = fields.restore({"init_image": ' "C:\\my films\\a.png" '})
    assert fields.collect(values)["init_image"] == "C:\\my films\\a.png"


def test_a_wrong_number_of_values_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        fields.collect([1, 2])


def test_the_help_names_range_and_unit() -> None:
    assert fields.help_text(SETTINGS["width"]).endswith("Range: 0 to 8192 pixels.")
    assert fields.help_text(SETTINGS["batch_name"]) == SETTINGS["batch_name"].help


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_placeholders_say_the_familys_own(family: Any) -> None:
    assert fields.placeholder("steps", family).startswith(str(family.steps))
    two = fields.placeholder("guidance_scale_2", family)
    assert ("two experts" in two) == (family.guidance_scale_2 is None)
