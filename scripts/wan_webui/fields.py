"""Turns the table of settings into the tab's controls, their values into settings, and settings into their values.

The order of `FIELDS` is the one order of components: handlers get the values by position and `collect` names them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from wan_engine.families import FAMILIES, Family
from wan_engine.settings import SETTINGS, SettingSpec

ID_PREFIX = "wan_"
"""Begins the id of every element of the tab."""

TEXT_FORMS = ("prompts", "images")
"""Kinds that the form holds as a text, one entry a line or JSON; the engine reads it."""

EMBEDDED = FAMILIES["wan-tiny"]
"""The family of the model that is used when none is named."""

_SLIDERS = ("crf",)
_STEPS = {"soundtrack_offset": 0.1}
_FEW_CHOICES = 4
_ONE_LINE = ("path", "model", "fps", "int", "float")
_TALL = {"prompts": (8, 24), "guided_images": (3, 12), "loras": (2, 8)}
"""Lines of text boxes, at first and at most."""


Row = tuple[str, ...]
"""Settings whose controls stand beside each other."""


@dataclass(frozen=True)
class Section:
    """One group of the form: the rows that are always seen, and those in a closed accordion.

    title: above it; empty where the first control's label says it.
    """

    name: str
    title: str
    shown: tuple[Row, ...]
    more: tuple[Row, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its settings in the order of their controls."""
        return tuple(name for row in (*self.shown, *self.more) for name in row)


_PART_ROWS: tuple[Row, ...] = (
    ("vae", "text_encoder"),
    ("image_encoder", "transformer_2"),
    ("vace_module",),
    ("model_dirs",),
)

_ARRANGED = (
    Section("prompts", "", (("prompts",), ("positive_prompt", "negative_prompt"))),
    Section(
        "model",
        "Model",
        (("model", "backend"),),
        (
            ("i2v_model",),
            ("flf2v_model",),
            *_PART_ROWS,
            ("loras",),
            ("lora_dir",),
            ("device", "dtype", "attention"),
            ("memory_profile", "fp8_weights", "compile"),
        ),
    ),
    Section(
        "film",
        "Film",
        (("width", "height", "max_frames", "fps"),),
        (("model_fps", "resample", "smoothing", "clip_duration"),),
    ),
    Section(
        "start",
        "Start and end",
        (("init_image",), ("end_image",)),
        (
            ("init_video",),
            ("guided_images",),
            ("image_fit", "continuity", "loop"),
            ("overlap_frames", "overlap_noise", "spare_frames", "hold_colour"),
        ),
    ),
    Section(
        "sampling",
        "Sampling",
        (("steps", "guidance_scale", "seed"),),
        (
            ("guidance_scale_2", "flow_shift", "sampler", "distilled"),
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
            ("soundtrack",),
            ("soundtrack_offset", "output_dir"),
            ("subtitles", "save_frames", "make_gif", "keep_clips"),
        ),
    ),
)
"""What stands where. A setting that is not here has a row of its own at the end of its group's accordion."""

NOT_SHOWN: dict[str, str] = {}
"""Settings without a control, each with the reason."""


def _with_rest(section: Section) -> Section:
    arranged = {name for each in _ARRANGED for name in each.names}
    rest = (spec.name for spec in SETTINGS.values() if spec.group == section.name)
    rows = tuple((name,) for name in rest if name not in arranged and name not in NOT_SHOWN)
    return replace(section, more=(*section.more, *rows))


SECTIONS = tuple(_with_rest(section) for section in _ARRANGED)
"""The form from top to bottom."""

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

MODEL_FIELDS = (
    *("model", "i2v_model", "flf2v_model"),
    *("vae", "text_encoder", "image_encoder", "transformer_2", "vace_module"),
)
"""Settings that name a model or a part of one: a list of what is there, and any path."""

OWN = ("width", "height", "model_fps", "clip_duration", "flow_shift")
"""Settings of which 0 leaves the choice to the model: a box for text, for in one for numbers not every gradio can show
the model's own value while it is empty."""

_UNSAVED_KINDS = ("prompts", "images", "path", "paths", "model", "text")


def elem_id(name: str) -> str:
    """The id of a setting's element."""
    return ID_PREFIX + name


def help_text(spec: SettingSpec) -> str:
    """What a setting does, with its range and unit, in one plain text."""
    if spec.minimum is None or spec.maximum is None:
        return spec.help
    unit = f" {spec.unit}" if spec.unit else ""
    return f"{spec.help} Range: {spec.minimum:.10g} to {spec.maximum:.10g}{unit}."


def own_values(family: Family) -> dict[str, str]:
    """What an empty box means with a model of this family, by setting: the value the engine takes then."""
    two = family.guidance_scale_2
    return {
        "width": f"{family.width}",
        "height": f"{family.height}",
        "model_fps": f"{family.fps}",
        "clip_duration": f"{family.native_frames / family.fps:.3g}",
        "flow_shift": f"{family.flow_shift(family.width, family.height):g}",
        "steps": f"{family.steps}",
        "guidance_scale": f"{family.guidance_scale:g}",
        "guidance_scale_2": f"{two:g}" if two is not None else "two experts only",
    }


_EXAMPLES = {
    "prompts": "0: a red fox in fresh snow, morning light\n40: the fox runs through a birch forest --neg blur\n"
    "5s: the fox rests by a frozen lake",
    "positive_prompt": "put before every prompt",
    "negative_prompt": "kept out of every prompt",
    "guided_images": "40: /pictures/forest.png",
    "loras": "name: weight",
    "lora_dir": "loras in the engine's own folder",
    "model_dirs": "ComfyUI",
    "output_dir": "the usual place",
    "sampler": "unipc, or 0: (unipc), 60: (euler)",
}


def placeholder(name: str) -> str:
    """What an empty box shows before a model is known: the value the engine takes then, or an example."""
    known = {**own_values(EMBEDDED), **_EXAMPLES}
    return known.get(name, "path of a file" if name in UPLOADS else "")


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
    if spec.kind in ("int", "float") and spec.name not in OWN:
        # Limits are left to the engine: gradio would round silently, or raise an error without a place.
        return gr.Number(value=value, step=_STEPS.get(spec.name, 1), **common)
    if spec.kind == "choice":
        few = len(spec.choices) < _FEW_CHOICES
        return (gr.Radio if few else gr.Dropdown)(list(spec.choices), value=value, **common)
    if spec.name in MODEL_FIELDS:
        return gr.Dropdown([], value=value, allow_custom_value=True, **common)
    lines, most = _TALL.get(spec.name, (1, 1 if spec.kind in _ONE_LINE else 6))
    return gr.Textbox(value=value, lines=lines, max_lines=most, placeholder=placeholder(spec.name), **common)


def value_of(spec: SettingSpec, value: Any) -> Any:
    """A setting's value as its control holds it."""
    if spec.kind in TEXT_FORMS:
        return entries_text(value)
    if spec.name in OWN:
        return "" if str(value) in ("0", "0.0") else f"{value}"
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
    if spec.name in OWN:
        return str(value or "").strip() or spec.default
    if spec.kind in ("bool", "int", "float"):
        return value
    text = "" if value is None else str(value)
    # People paste paths with quotes around them, as their file manager copies them.
    return text.strip().strip("\"'") if spec.kind in ("path", "model") else text


def restore(settings: Mapping[str, Any]) -> list[Any]:
    """The values of all controls for these settings, in the order of `FIELDS`; what is not given has its default."""
    return [value_of(spec, settings.get(spec.name, spec.default)) for spec in FIELDS]
