"""What every kind of model on disk tells of itself without being loaded: its components, configs and fingerprints.

`folder.ModelFolder` is one in the diffusers layout, `file_set.FileSet` one made of single files; `model_set` opens
both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wan_engine.models.files import fingerprint

WITH_WEIGHTS = ("transformer", "transformer_2", "vace", "text_encoder", "vae", "image_encoder")
"""The components that have weights."""


class ModelSource(ABC):
    """One model on disk.

    path: what the user named it by.  components: where each lies: a folder of the diffusers layout with its config, a
    weight file, or the index of a file's shards.
    """

    path: Path
    components: dict[str, Path]

    @property
    @abstractmethod
    def boundary_ratio(self) -> float | None:
        """Share of the noise levels below which the second expert takes over, 0 to 1; None with one transformer."""

    @property
    @abstractmethod
    def expand_timesteps(self) -> bool:
        """Whether each latent frame has a timestep of its own (Wan 2.2 TI2V)."""

    @abstractmethod
    def config_file(self, component: str) -> Path:
        """The file that a component's config is told from, for messages."""

    @abstractmethod
    def config(self, component: str) -> dict[str, Any]:
        """The config of a component with weights, in diffusers' or transformers' words. Raises ModelError."""

    @abstractmethod
    def scheduler_config(self) -> dict[str, Any]:
        """The config of the scheduler, with its `_class_name`. Raises ModelError."""

    @abstractmethod
    def weight_files(self, component: str) -> tuple[Path, ...]:
        """The weight files of a component that has weights. Raises ModelError when one is missing."""

    @abstractmethod
    def files(self, component: str) -> Mapping[str, Path]:
        """Everything a component is read from, by names that are the same wherever the model lies."""

    def weights(self) -> tuple[Path, ...]:
        """Every weight file of the model, each once. Raises ModelError when one is missing."""
        names = [name for name in WITH_WEIGHTS if name in self.components]
        return tuple(dict.fromkeys(file for name in names for file in self.weight_files(name)))

    def component_fingerprint(self, component: str) -> str:
        """A sha256 over a component's configs and samples of its weights, the same wherever it lies."""
        return fingerprint(self.files(component))

    def fingerprint(self) -> str:
        """A sha256 over configs and samples of the weights, the same wherever the model lies."""
        named = {f"{name}/{file}": path for name in self.components for file, path in self.files(name).items()}
        return fingerprint(named)
