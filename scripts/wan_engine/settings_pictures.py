"""The table of settings of a storyboard's keyframe pictures: who makes them and how."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from wan_engine.setting_spec import SettingSpec, setting, spec_of


@dataclass(frozen=True)
class PictureSettings:
    """Everything a user can set for keyframe pictures: keys of a storyboard's `pictures`, flags of `keyframes`."""

    provider: str = setting(
        "tiny",
        "choice",
        "Made by",
        "pictures",
        "tiny takes the first frame that the embedded small model makes: for tries, 64x64. sd3 is Stable Diffusion 3 "
        "from a local folder, stability and openai are paid services, webui is the running WebUI's checkpoint, files "
        "makes none: every picture is given.",
        choices=("tiny", "sd3", "stability", "openai", "webui", "files"),
    )
    negative: str = setting("", "text", "Negative prompt", "pictures", "What no picture shall show.")
    seed: int = setting(
        -1,
        "int",
        "Seed",
        "pictures",
        "Seed of keyframe 0; each later one adds one. -1 draws it and writes it into the storyboard.",
        minimum=-1,
        maximum=2**32 - 1,
    )
    strength: float = setting(
        0.0,
        "float",
        "Change from the keyframe before",
        "pictures",
        "Makes each picture out of the one before: near 0 it stays almost as it is, 1 ignores it. 0 makes each "
        "from its words alone.",
        minimum=0,
        maximum=1,
    )
    width: int = setting(
        0,
        "int",
        "Width",
        "pictures",
        "Width asked of the provider; 0 takes its own size nearest to the film's shape. Pictures are fitted to the "
        "film as image_fit says.",
        minimum=0,
        maximum=4096,
        unit="pixels",
    )
    height: int = setting(
        0,
        "int",
        "Height",
        "pictures",
        "Height asked of the provider; 0 like the width.",
        minimum=0,
        maximum=4096,
        unit="pixels",
    )
    steps: int = setting(
        0, "int", "Steps", "pictures", "Denoising steps; 0 takes the provider's own.", minimum=0, maximum=200
    )
    guidance: float = setting(
        0.0,
        "float",
        "Guidance",
        "pictures",
        "How strongly the words are followed; 0 takes the provider's own.",
        minimum=0,
        maximum=50,
    )
    attempts: int = setting(
        3,
        "int",
        "Attempts",
        "pictures",
        "How often one picture is tried when its provider is busy or out of reach.",
        minimum=1,
        maximum=10,
    )


PICTURE_SETTINGS: dict[str, SettingSpec] = {entry.name: spec_of(entry) for entry in fields(PictureSettings)}
"""The table, by name, in the order in which settings are shown."""

PAID_PROVIDERS = frozenset({"stability", "openai"})
"""Providers that cost money a picture."""


def picture_settings_to_mapping(settings: PictureSettings) -> dict[str, Any]:
    """The settings as JSON-able values, which `settings_check.picture_settings_from_mapping` reads back."""
    return asdict(settings)
