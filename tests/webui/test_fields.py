"""Every setting has its control, and what stands in the controls is what the engine gets."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.families import FAMILIES, Family
from wan_engine.schedule.documents import read_json
from wan_engine.schedule.lines import read_lines
from wan_engine.setting_spec import SettingSpec
from wan_engine.settings import SETTINGS, Settings
from wan_engine.settings_check import settings_from_mapping
from wan_webui.fields import component
from wan_webui.film_form import NOT_SHOWN, OWN, own_values
from wan_webui.form_table import collect, entries_text, fields_of, help_text, restore
from wan_webui.pages import FILM_PAGE

TABLES = FILM_PAGE.tables
FIELDS = fields_of(TABLES)

WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)
LINES = st.one_of(WORDS, st.sampled_from(["", "a\nb", "#x", " padded ", '{"0"}', "`t`", "a: b", "x\u2028y"]))
KEYS = st.one_of(st.integers(0, 500).map(str), st.sampled_from(["12.5s", "max_f-1", "max_f/2", " 30", "1:2", "#4"]))
ENTRIES = st.dictionaries(KEYS, LINES, max_size=5)

# Blanks and quotes around a pasted path are taken off, so a path that has them does not come back.
PATHS = st.sampled_from(["", "/films/a b.png", "C:\\films\\a.png", "Wan-Tiny"])


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
        "path": PATHS,
        "model": PATHS,
    }.get(spec.kind, WORDS)


SETTINGS_VALUES = st.fixed_dictionaries({name: value_for(spec) for name, spec in SETTINGS.items()})


def checked(values: dict[str, Any]) -> Settings:
    return settings_from_mapping(values)


def test_every_setting_has_a_control_or_a_reason() -> None:
    shown = [spec.name for spec in FIELDS]
    assert len(set(shown)) == len(shown)
    assert set(shown) | set(NOT_SHOWN) == set(SETTINGS)
    assert not set(shown) & set(NOT_SHOWN)


@pytest.fixture(scope="module")
def components() -> list[Any]:
    with gr.Blocks():
        return [component(table, spec) for table in TABLES for spec in table.fields]


def test_labels_and_ids_are_unique(components: list[Any]) -> None:
    assert len({component.label for component in components}) == len(FIELDS)
    assert [component.elem_id for component in components] == [f"wan_{spec.name}" for spec in FIELDS]


def test_a_new_form_holds_the_defaults(components: list[Any]) -> None:
    assert [component.value for component in components] == restore(TABLES, {})


def test_what_a_person_writes_is_kept_out_of_the_hosts_configuration(components: list[Any]) -> None:
    for spec, made in zip(FIELDS, components, strict=True):
        kept = getattr(made, "do_not_save_to_config", False)
        assert kept == (spec.kind in ("prompts", "images", "path", "paths", "model", "text"))


@settings(max_examples=25)
@given(SETTINGS_VALUES)
def test_values_come_back_as_they_were(values: dict[str, Any]) -> None:
    once = restore(TABLES, values)
    collected = collect(TABLES, once)
    plain = {spec.name for spec in FIELDS if spec.kind not in ("prompts", "images")}
    assert checked({name: collected[name] for name in plain}) == checked({name: values[name] for name in plain})
    assert (
        restore(TABLES, {**collected, "prompts": values["prompts"], "guided_images": values["guided_images"]}) == once
    )


@given(st.dictionaries(st.integers(0, 500).map(str) | st.just("max_f-1"), LINES, min_size=1, max_size=5))
def test_the_engine_reads_the_prompts_as_the_form_shows_them(prompts: dict[str, str]) -> None:
    text = entries_text(prompts)
    read = read_json(text) if text.startswith("{") else read_lines(text)
    assert read.value == prompts


def test_a_new_form_is_a_film_with_default_settings() -> None:
    assert checked({**collect(TABLES, restore(TABLES, {})), "prompts": {}, "guided_images": {}}) == Settings()


def test_an_empty_box_leaves_the_choice_to_the_model() -> None:
    values = restore(TABLES, {"width": 0, "clip_duration": 0.0, "height": 480})
    names = [spec.name for spec in FIELDS]
    assert [values[names.index(name)] for name in ("width", "clip_duration", "height")] == ["", "", "480"]
    assert collect(TABLES, values)["width"] == 0


def test_a_pasted_path_loses_its_quotes() -> None:
    values = restore(TABLES, {"init_image": ' "C:\\my films\\a.png" '})
    assert collect(TABLES, values)["init_image"] == "C:\\my films\\a.png"


def test_a_wrong_number_of_values_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        collect(TABLES, [1, 2])


def test_the_help_names_range_and_unit() -> None:
    assert help_text(SETTINGS["width"]).endswith("Range: 0 to 8192 pixels.")
    assert help_text(SETTINGS["batch_name"]) == SETTINGS["batch_name"].help


def test_an_empty_number_is_told_and_not_replaced() -> None:
    values = restore(TABLES, {})
    values[[spec.name for spec in FIELDS].index("max_frames")] = None
    with pytest.raises(InputError, match="max_frames"):
        checked({**collect(TABLES, values), "prompts": {}, "guided_images": {}})


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_empty_boxes_show_the_familys_own_values(family: Family) -> None:
    own = own_values(family)
    assert set(OWN) <= set(own) <= set(SETTINGS)
    numbers = {name: float(text) for name, text in own.items() if name != "guidance_scale_2"}
    assert numbers["steps"] == family.steps
    assert numbers["clip_duration"] == pytest.approx(family.native_frames / family.fps, rel=0.01)
    assert ("two experts" in own["guidance_scale_2"]) == (family.guidance_scale_2 is None)
