"""The form of the page Scenes: how scenes are found, and how their files are made."""

from __future__ import annotations

from wan_engine.settings_split import SPLIT_SETTINGS
from wan_webui.form_table import Looks, Section, Table, with_rest

NOT_SHOWN = {"list_only": "the page has a button for each: Find scenes, and Split"}
"""Settings without a control, each with the reason."""

_FINDING = Section(
    "scenes",
    "Finding",
    (("threshold", "min_scene", "detector"),),
    (("transitions", "device"),),
)
_FILES = Section(
    "files",
    "Scene files",
    (("height", "codec", "crf"),),
    (
        ("output_dir", "name_pattern"),
        ("encoder", "preset", "pixel_format"),
        ("copy", "audio"),
    ),
)

SCENES = Table(
    "scenes",
    SPLIT_SETTINGS,
    tuple(with_rest((_FINDING, _FILES), SPLIT_SETTINGS, tuple(NOT_SHOWN))),
    "wan_scenes_",
    Looks(examples={"output_dir": "scenes in the usual place"}, sliders=("crf",), steps={"threshold": 0.05}),
)
