"""Turns the table of settings into the tab's controls, their values into settings, and settings into their values.

The order of `FIELDS` is the one order of components: handlers get the values by position and `collect` names them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from wan_engine.families import FAMILIES, Family
from wan_engine.settings import SETTINGS, SettingSpec

ID_PREFIX = "wan_"
"""Begins the id of every element of the tab."""

TEXT_FORMS = ("prompts", "images")
"""Kinds that the form holds as a text, one entry a line or JSON; the engine reads it."""

_DEFAULT_FAMILY = FAMILIES["wan-tiny"]
_SLIDERS = ("crf",)
_STEPS = {"clip_duration": 0.5, "flow_shift": 0.5, "soundtrack_offset": 0.1, "width": 16, "height": 16}
_FEW_CHOICES = 4


Row = tuple[str, ...]
"""Settings whose controls stand beside each other."""


@dataclass(frozen=True)
class Section:
    """One group of the form: the rows that are always seen, and those in a closed accordion."""

    name: str
    title: str
    shown: tuple[Row, ...]
    more: tuple[Row, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its settings in the order of their controls."""
        return tuple(name for row in (*self.shown, *self.more) for name in row)


SECTIONS = (
    Section("prompts", "Prompts", (("prompts",), ("positive_prompt", "negative_prompt"))),
    Section(
        "model",
        "Model",
        (("model", "backend"),),
        (("i2v_model",), ("flf2v_model",), ("loras",), ("lora_dir",), ("device", "dtype")),
    ),
    Section(
        "film",
        "Film",
        (("width", "height", "max_frames", "fps"),),
        (("model_fps", "resample", "clip_duration"),),
    ),
    Section(
        "start",
        "Start and end",
        (("init_image",), ("end_image",)),
        (("init_video",), ("guided_images",), ("image_fit", "continuity")),
    ),
    Section(
        "sampling",
        "Sampling",
        (("steps", "guidance_scale", "seed"),),
        (
            ("guidance_scale_2", "flow_shift", "sampler"),
            ("seed_behavior", "seed_iter_n"),
            ("seed_schedule",),
        ),
    ),
    Section(
        "output",
        "Output",
        (("batch_name", "codec", "crf"),),
        (
            ("encoder", "preset", "pixel_format"),
            ("soundtrack", "soundtrack_offset"),
            ("output_dir",),
            ("subtitles", "save_frames", "make_gif", "keep_clips"),
        ),
    ),
)
"""The form from top to bottom."""

NOT_SHOWN: dict[str, str] = {}
"""Settings without a control, each with the reason."""

FIELDS: tuple[SettingSpec, ...] = tuple(SETTINGS[name] for section in SECTIONS for name in section.names)
"""The settings with a control, in the order of the components."""

UPLOADS: dict[str, tuple[str, ...]] = {
    "init_image": ("image",),
    "end_image": ("image",),
    "guided_images": ("image",),
    "init_video": ("video",),
    "soundtrack": ("audio", "video"),
}
"""Settings whose file can be picked in the browser, with gradio's words for what is taken."""

MODEL_FIELDS = ("model", "i2v_model", "flf2v_model")
"""Settings that name a model: a list of what is there, and any path."""

_UNSAVED_KINDS = ("prompts", "images", "path", "text")


def elem_id(name: str) -> str:
    """The id of a setting's element."""
    return ID_PREFIX + name


def help_text(spec: SettingSpec) -> str:
    """What a setting does, with its range and unit, in one plain text."""
    if spec.minimum is None or spec.maximum is None:
        return spec.help
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.help} Range: {spec.minimum:.10g} to {spec.maximum:.10g}{unit}."


def placeholder(name: str, family: Family = _DEFAULT_FAMILY) -> str:
    """What an empty box shows: the value the engine takes then, or an example."""
    if name == "guidance_scale_2":
        own = family.guidance_scale_2
        return f"{own:g}, as the model recommends" if own is not None else "only for models with two experts"
    examples = {
        "prompts": "0: a red fox in fresh snow, morning light\n40: the fox runs through a birch forest --neg blur\n"
        "5s: the fox rests by a frozen lake",
        "positive_prompt": "put before every prompt",
        "negative_prompt": "kept out of every prompt",
        "guided_images": "40: /pictures/forest.png",
        "model": "empty: the embedded small model",
        "i2v_model": "the model above, if it can",
        "flf2v_model": "the model above, if it can",
        "loras": "detail: 0.8\nmotion: 0: (0), 40: (1) high",
        "lora_dir": "the usual place",
        "output_dir": "the usual place",
        "steps": f"{family.steps}, as the model recommends; or 0: (30), 60: (20)",
        "guidance_scale": f"{family.guidance_scale:g}, as the model recommends; or 0: (5), 60: (6.5)",
        "sampler": "unipc, euler, or 0: (unipc), 60: (euler)",
    }
    return examples.get(name, "path of a file" if name in UPLOADS else "")


def component(spec: SettingSpec) -> Any:
    """The gradio component of a setting; inside a gr.Blocks."""
    made = _component(spec, {"label": spec.label, "elem_id": elem_id(spec.name)})
    return unsaved(made) if spec.kind in _UNSAVED_KINDS else made


def unsaved(made: Any) -> Any:
    """The component, kept out of the ui-config.json in which a WebUI lets values outlive a changed default."""
    made.do_not_save_to_config = True
    return made


def _component(spec: SettingSpec, common: dict[str, Any]) -> Any:
    value = value_of(spec, spec.default)
    if spec.kind == "bool":
        return gr.Checkbox(value=value, **common)
    if spec.name in _SLIDERS:
        return gr.Slider(spec.minimum or 0, spec.maximum or 0, value=value, step=1, **common)
    if spec.kind in ("int", "float"):
        # Limits are left to the engine: gradio would round silently, or raise an error without a place.
        return gr.Number(value=value, step=_STEPS.get(spec.name, 1), **common)
    if spec.kind == "choice":
        few = len(spec.choices) < _FEW_CHOICES
        return (gr.Radio if few else gr.Dropdown)(list(spec.choices), value=value, **common)
    if spec.name in MODEL_FIELDS:
        return gr.Dropdown([], value=value, allow_custom_value=True, **common)
    lines = {"prompts": 8, "guided_images": 3, "loras": 2}.get(spec.name, 1)
    most = {"prompts": 24, "guided_images": 12, "loras": 12}.get(spec.name, 3)
    return gr.Textbox(value=value, lines=lines, max_lines=most, placeholder=placeholder(spec.name), **common)


def value_of(spec: SettingSpec, value: Any) -> Any:
    """A setting's value as its control holds it."""
    if spec.kind in TEXT_FORMS:
        return entries_text(value)
    return value if spec.kind in ("bool", "int", "float") else str(value)


def entries_text(entries: Mapping[str, str]) -> str:
    """Prompts or pictures by key as the text of the form: one entry a line, or JSON where a line cannot hold them."""
    if all(_fits_a_line(key, text) for key, text in entries.items()):
        return "\n".join(f"{key}: {text}" for key, text in entries.items())
    return json.dumps(dict(entries), indent=2, ensure_ascii=False)


def _fits_a_line(key: str, text: str) -> bool:
    plain = key == key.strip() and text == text.strip() and len((key + text).splitlines()) == 1
    return plain and bool(key) and ":" not in key and not key.startswith(("#", '"', "'", "{", "["))


def collect(values: Sequence[Any]) -> dict[str, Any]:
    """The settings of the form by name; prompts and guided images as the texts they were written as."""
    if len(values) != len(FIELDS):
        raise ValueError(f"the form has {len(FIELDS)} values, {len(values)} came")
    return {spec.name: _collected(spec, value) for spec, value in zip(FIELDS, values, strict=True)}


def _collected(spec: SettingSpec, value: Any) -> Any:
    if spec.kind in ("bool", "int", "float"):
        return value
    text = "" if value is None else str(value)
    # People paste paths with quotes around them, as their file manager copies them.
    return text.strip().strip("\"'") if spec.kind == "path" else text


def restore(settings: Mapping[str, Any]) -> list[Any]:
    """The values of all controls for these settings, in the order of `FIELDS`; what is not given has its default."""
    return [value_of(spec, settings.get(spec.name, spec.default)) for spec in FIELDS]
