"""The small Wan model that comes with the engine."""

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the trained model: shared parts, `t2v` and `i2v`. Taken when the settings name no model."""
