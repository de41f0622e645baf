"""Settings that several tables have: how a film is sampled and encoded, and how its cuts are found."""

from __future__ import annotations

from typing import Any

from wan_engine.setting_spec import setting

_PRESETS = ("veryslow", "slower", "slow", "medium", "fast", "faster", "veryfast", "superfast", "ultrafast")


def flow_shift(group: str) -> Any:
    """The setting `flow_shift`, in a group of a table."""
    help_text = "Shift of the noise schedule. 0 takes the family's own for the picture size."
    return setting(0.0, "float", "Flow shift", group, help_text, minimum=0, maximum=100)


def distilled(group: str, help_text: str) -> Any:
    """The setting `distilled`, in a group of a table."""
    return setting("off", "choice", "Distilled", group, help_text, choices=("off", "lightx2v_4"))


def seed(group: str, help_text: str) -> Any:
    """The setting `seed`, in a group of a table."""
    return setting(-1, "int", "Seed", group, help_text, minimum=-1, maximum=2**32 - 1)


def output_dir(group: str) -> Any:
    """The setting `output_dir`, in a group of a table."""
    return setting("", "path", "Output folder", group, "Where films go. Empty takes the usual place.")


def encoder(group: str) -> Any:
    """The setting `encoder`, in a group of a table."""
    return setting(
        "auto",
        "choice",
        "Encoder",
        group,
        "nvenc encodes on the GPU and is an error where it does not work; auto takes it where it works.",
        choices=("auto", "nvenc", "software"),
    )


def crf(group: str, help_text: str = "Quality of the film: 0 is lossless, 51 the worst.") -> Any:
    """The setting `crf`, in a group of a table."""
    return setting(17, "int", "CRF", group, help_text, minimum=0, maximum=51)


def preset(group: str, default: str) -> Any:
    """The setting `preset`, in a group of a table."""
    return setting(default, "choice", "Preset", group, "Slower presets make smaller files.", choices=_PRESETS)


def pixel_format(group: str) -> Any:
    """The setting `pixel_format`, in a group of a table."""
    return setting(
        "yuv420p",
        "choice",
        "Pixel format",
        group,
        "yuv420p plays everywhere; the others keep more colour.",
        choices=("yuv420p", "yuv444p", "yuv420p10le"),
    )


def detector(group: str, help_text: str) -> Any:
    """The setting `detector`, in a group of a table."""
    choices = ("auto", "transnet", "content", "adaptive")
    return setting("auto", "choice", "Detector", group, help_text, choices=choices)


def threshold(group: str, help_text: str) -> Any:
    """The setting `threshold`, in a group of a table."""
    return setting(0.5, "float", "Threshold", group, help_text, minimum=0.01, maximum=0.99)


def min_scene(group: str) -> Any:
    """The setting `min_scene`, in a group of a table."""
    return setting(
        8,
        "int",
        "Shortest scene",
        group,
        "Of two cuts that are nearer than this, the weaker one is left out.",
        minimum=1,
        maximum=100_000,
        unit="frames",
    )
