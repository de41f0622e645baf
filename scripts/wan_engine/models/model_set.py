"""Opens the model of a card: a folder in the diffusers layout, or a set of single files."""

from __future__ import annotations

from pathlib import Path

from wan_engine.families import ModelCard
from wan_engine.models.file_set import open_files
from wan_engine.models.folder import open_folder
from wan_engine.models.source import ModelSource as ModelSource


def open_model(card: ModelCard) -> ModelSource:
    """What lies where the card says. Reads configs and headers only. Raises ModelError."""
    return open_files(card) if card.files else open_folder(Path(card.path))
