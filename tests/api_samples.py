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
LONG: dict[str, Any] = {**FOX, "steps": "1000", "max_frames": 60_000}
"""Settings of a film of minutes: whatever is done to it meets it before its end.

1 876 clips, of which a machine of 2026 makes seven a second: four minutes. It takes 0.8 GB of free disk.
"""
