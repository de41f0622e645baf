"""A model made of single weight files, each told by its header, and of folders of single components beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.families import ModelCard
from wan_engine.models.component import detect_component
from wan_engine.models.detect import Part
from wan_engine.models.files import weight_files
from wan_engine.models.headers.read import read_header
from wan_engine.models.source import WITH_WEIGHTS, ModelSource

NEEDED = ("transformer", "text_encoder", "vae", "tokenizer")
"""The components without which there is no film."""

PART_KINDS = {
    "transformer": "transformer",
    "transformer_2": "transformer",
    "vace": "vace_module",
    "text_encoder": "text_encoder",
    "vae": "vae",
    "image_encoder": "image_encoder",
}
"""The kind of `Part` that each component with weights is."""

SCHEDULER = {
    "_class_name": "UniPCMultistepScheduler",
    "prediction_type": "flow_prediction",
    "use_flow_sigmas": True,
    "num_train_timesteps": 1000,
    "flow_shift": 3.0,
}
"""As the diffusers conversions of all Wan models have it (Wan-AI/*-Diffusers); each clip sets its own shift."""

_BOUNDARIES = {16: 0.875, 36: 0.9}
"""boundary_ratio of Wan 2.2's two experts by input channels: T2V and VACE, I2V (`wan/configs` of Wan 2.2)."""


@dataclass(frozen=True)
class FileSet(ModelSource):
    """A model of single files.

    components: a weight file, an index of shards, or a component's folder in the diffusers layout; for `tokenizer` its
    folder, or the text encoder's own file that carries it.  parts: what each component with weights is.
    """

    path: Path
    components: dict[str, Path]
    parts: dict[str, Part]

    @property
    def boundary_ratio(self) -> float | None:
        """As it was published with Wan 2.2's experts; the files do not say it."""
        if "transformer_2" not in self.components:
            return None
        return _BOUNDARIES.get(self.parts["transformer"].config.get("in_channels", 0), 0.875)

    @property
    def expand_timesteps(self) -> bool:
        """True for the transformer with 48 channels, the only one of its kind."""
        return self.parts["transformer"].config.get("in_channels") == 48

    def config_file(self, component: str) -> Path:
        """The weight file itself."""
        return self.parts[component].path

    def config(self, component: str) -> dict[str, Any]:
        """Told from the file's header. Of a transformer without the VACE blocks that are to be put on it."""
        return self.parts[component].config

    def scheduler_config(self) -> dict[str, Any]:
        """The same for all Wan models."""
        return dict(SCHEDULER)

    def weight_files(self, component: str) -> tuple[Path, ...]:
        """The file, its shards, or the files in the folder."""
        place = self.components[component]
        return weight_files(place) if place.is_dir() else read_header(place).files

    def files(self, component: str) -> dict[str, Path]:
        """The weights by their number, for users name files as they like; the JSON files of a folder by name."""
        place = self.components[component]
        weights = self.weight_files(component) if component in WITH_WEIGHTS else ()
        named = {f"weights-{number}{file.suffix}": file for number, file in enumerate(weights)}
        if place.is_dir():
            named |= {file.name: file for file in place.iterdir() if file.suffix in (".json", ".model")}
        return named


def open_files(card: ModelCard) -> FileSet:
    """The set of a card's files. Raises ModelError when one is missing, damaged, or of another kind than its place."""
    components = {name: Path(path) for name, path in card.files}
    missing = [name for name in NEEDED if name not in components]
    if missing:
        raise ModelError(f"{card.path} has no {missing[0]}", "Name the file of this part in the settings")
    parts = {name: detect_component(place) for name, place in components.items() if name in PART_KINDS}
    for name, part in parts.items():
        part.check()
        if part.kind != PART_KINDS[name]:
            raise ModelError(f"{part.path} is {part.label}, not a {name}", "Name a file of this part in the settings")
    return FileSet(Path(card.path), components, parts)
