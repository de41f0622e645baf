"""The table of settings of scene splitting: how scenes are found and how their files are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from wan_engine import settings_shared as shared
from wan_engine.setting_spec import SettingSpec, setting, spec_of


@dataclass(frozen=True)
class SplitSettings:
    """Everything a user can set for a split. Names are the API's keys and, with dashes, the flags of `split`."""

    detector: str = shared.detector(
        "scenes",
        "transnet is the neural network TransNetV2; content and adaptive are PySceneDetect's and need no torch. auto "
        "takes transnet where torch is installed, else content, and says so.",
    )
    threshold: float = shared.threshold(
        "scenes",
        "Probability from which on a frame is taken for a cut. Lower finds more cuts, and more that are none.",
    )
    min_scene: int = shared.min_scene("scenes")
    transitions: str = setting(
        "middle",
        "choice",
        "Transitions",
        "scenes",
        "What becomes of the frames of a dissolve or fade: middle cuts in its middle, so that every frame belongs to a "
        "scene; drop leaves them out.",
        choices=("middle", "drop"),
    )
    device: str = setting("auto", "text", "Device", "scenes", "Where the network runs: auto, cpu, cuda, cuda:1.")

    list_only: bool = setting(
        False, "bool", "List only", "files", "Only find the scenes and write their list; cut no files."
    )
    output_dir: str = setting(
        "", "path", "Output folder", "files", "Where the scene files go. Empty takes scenes in the usual place."
    )
    name_pattern: str = setting(
        "video-{series}-{scene}",
        "text",
        "Names",
        "files",
        "Name of a scene file without ending. {series} is the 4th part of the film's name between underscores, else "
        "the whole name; {scene} counts from 000; {film}, {start} and {end} (frames) are filled in too.",
    )
    copy: bool = setting(
        False,
        "bool",
        "Stream copy",
        "files",
        "Copy the streams as they are, which is quick and loses nothing, but cuts at key frames only: each cut moves "
        "to the nearest one, and the list says where it really is.",
    )
    height: int = setting(
        720,
        "int",
        "Height",
        "files",
        "Height of the scene files; the width follows. 0 keeps the film's own.",
        minimum=0,
        maximum=8192,
        unit="pixels",
    )
    codec: str = setting("h264", "choice", "Codec", "files", "H.264 or HEVC.", choices=("h264", "hevc"))
    encoder: str = shared.encoder("files")
    crf: int = shared.crf("files", "Quality: 0 is lossless but for height and pixel format, 51 the worst.")
    preset: str = shared.preset("files", "medium")
    pixel_format: str = shared.pixel_format("files")
    audio: bool = setting(True, "bool", "Sound", "files", "Keep the sound, all its tracks, as AAC.")


SPLIT_SETTINGS: dict[str, SettingSpec] = {entry.name: spec_of(entry) for entry in fields(SplitSettings)}
"""The table, by name, in the order in which settings are shown."""


def split_settings_to_mapping(settings: SplitSettings) -> dict[str, Any]:
    """The settings as JSON-able values, which `settings_check.split_settings_from_mapping` reads back."""
    return asdict(settings)
