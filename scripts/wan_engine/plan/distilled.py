"""How models that were distilled to a few steps are sampled: presets for the sampling settings, by name."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from wan_engine.settings import SETTINGS, Settings


@dataclass(frozen=True)
class Preset:
    """Values for the settings of the same names."""

    steps: str
    sampler: str
    flow_shift: float
    guidance_scale: str = "1"
    guidance_scale_2: str = "1"


PRESETS: dict[str, Preset] = {
    # Timesteps 1000, 750, 500, 250 before the shift, no guidance: the configs of LightX2V's 4-step models and LoRAs
    # (Wan 2.1 StepDistill-CfgDistill, Wan 2.2 Distill), configs/distill in that project.
    "lightx2v_4": Preset(steps="4", sampler="distilled", flow_shift=5.0),
}


def with_preset(settings: Settings) -> Settings:
    """The settings with the values of their preset where the user left the default."""
    preset = PRESETS.get(settings.distilled)
    if preset is None:
        return settings
    filled: dict[str, Any] = {
        entry.name: getattr(preset, entry.name)
        for entry in fields(preset)
        if getattr(settings, entry.name) == SETTINGS[entry.name].default
    }
    return replace(settings, **filled)
