"""What tests of the engine's API share: a token, the settings of a quick film."""

from __future__ import annotations

from typing import Any

TOKEN = "a-token-of-this-start"
ROOT = "/wan/v1"
FOX: dict[str, Any] = {
    "prompts": {"0": "a red fox", "8": "the fox runs"},
    "max_frames": 16,
    "width": 64,
    "height": 64,
    "backend": "dry_run",
    "seed": 5,
    "encoder": "software",
    "preset": "ultrafast",
}
"""Settings of a film that takes no model and no second."""
