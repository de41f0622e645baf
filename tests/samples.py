"""Clips and plans made by hand, for tests that need one and do not care how it was planned."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from wan_engine.plan.model import Clip, Plan


def make_clip(**values: Any) -> Clip:
    """A clip of 17 model frames from text that owns 16 film frames, but for the values given."""
    common: dict[str, Any] = {
        "index": 0,
        "start": 0,
        "end": 16,
        "mode": "t2v",
        "frames": 17,
        "intervals": 16,
        "arrives": 16,
        "prompt": "a red circle moves right",
        "negative": "blurry",
        "seed": 5,
        "steps": 4,
        "guidance_scale": 4.0,
        "guidance_scale_2": None,
        "flow_shift": 3.0,
        "sampler": "unipc",
        "continuity": "cut",
        "chain": 0,
    }
    return Clip(**{**common, **values})


def make_plan(*clips: Clip, **values: Any) -> Plan:
    """A plan of these clips at 16 frames a second, 64x48 pixels, but for the values given."""
    common: dict[str, Any] = {
        "fps": Fraction(16),
        "model_fps": Fraction(16),
        "frames": clips[-1].end,
        "width": 64,
        "height": 48,
        "resample": "blend",
        "image_fit": "cover",
    }
    return Plan(clips=clips, **{**common, **values})
