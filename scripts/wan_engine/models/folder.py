"""Finds the models in a folder of the diffusers layout and tells what each can do from its configs.

Neither torch nor diffusers is needed: only JSON files and the headers of weight files are read. What a model is, its
configs say; the folder's name is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.families import ModelCard
from wan_engine.models.family import family_of
from wan_engine.models.files import check_weights, fingerprint, read_json, weight_files
from wan_engine.models.source import WITH_WEIGHTS, ModelSource

INDEX = "model_index.json"
CONFIG = "config.json"
NOISE_KEY = "_wan_noise"
"""Key of model_index.json that says that the weights are random."""

WITHOUT_WEIGHTS = {
    "tokenizer": "tokenizer_config.json",
    "scheduler": "scheduler_config.json",
    "image_processor": "preprocessor_config.json",
}
NEEDED = ("transformer", "text_encoder", "vae", "tokenizer", "scheduler")

_LAYOUT = "Give a folder in the diffusers layout (with model_index.json), or a folder of such folders"


@dataclass(frozen=True)
class ModelFolder(ModelSource):
    """A model's folder: its index and where each of its components lies.

    components: folder by component name, those that the index names.  index: the content of model_index.json.
    """

    path: Path
    index: dict[str, Any]
    components: dict[str, Path]

    @property
    def boundary_ratio(self) -> float | None:
        """As the index says."""
        value = self.index.get("boundary_ratio")
        return None if value is None else float(value)

    @property
    def expand_timesteps(self) -> bool:
        """As the index says."""
        return bool(self.index.get("expand_timesteps"))

    def config_file(self, component: str) -> Path:
        """The component's config.json."""
        return self.components[component] / CONFIG

    def config(self, component: str) -> dict[str, Any]:
        """The content of the component's config.json. Raises ModelError."""
        return read_json(self.config_file(component))

    def scheduler_config(self) -> dict[str, Any]:
        """The content of scheduler_config.json. Raises ModelError."""
        return read_json(self.components["scheduler"] / WITHOUT_WEIGHTS["scheduler"])

    def weight_files(self, component: str) -> tuple[Path, ...]:
        """As the index in the component's folder says."""
        return weight_files(self.components[component])

    def files(self, component: str) -> dict[str, Path]:
        """The weights and JSON files of the component's folder."""
        folder = self.components[component]
        weights = weight_files(folder) if component in WITH_WEIGHTS else ()
        return {file.name: file for file in (*weights, *folder.glob("*.json"))}

    def fingerprint(self) -> str:
        """Over the index too."""
        named = {f"{name}/{file}": path for name in self.components for file, path in self.files(name).items()}
        return fingerprint({INDEX: self.path / INDEX} | named)


def open_folder(path: Path) -> ModelFolder:
    """The model whose model_index.json lies in `path`; a component that is not beside it is looked for one level up.

    Raises ModelError when the index is damaged or a component is nowhere.
    """
    index = read_json(path / INDEX)
    for name in NEEDED:
        if not _present(index.get(name)):
            raise ModelError(f"{path / INDEX} names no {name}", "Use a complete Wan model in the diffusers layout")
    components = {}
    for name in (*WITH_WEIGHTS, *WITHOUT_WEIGHTS):
        if _present(index.get(name)):
            components[name] = _component(path, name)
    try:
        ratio = index.get("boundary_ratio")
        valid = ratio is None or 0 <= float(ratio) <= 1
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ModelError(f"{path / INDEX} has boundary_ratio {ratio!r}", "It must be null or a number from 0 to 1")
    if ("transformer_2" in components) != (ratio is not None):
        message = f"{path / INDEX} must name both transformer_2 and boundary_ratio, or neither"
        raise ModelError(message, "Use the model_index.json that was published with the model")
    return ModelFolder(path, index, components)


def _present(entry: Any) -> bool:
    """A component of the index is a pair of library and class; [null, null] means that it is left out."""
    return isinstance(entry, list) and len(entry) == 2 and all(entry)


def _component(path: Path, name: str) -> Path:
    for folder in (path / name, path.parent / name):
        if folder.is_dir():
            config = folder / WITHOUT_WEIGHTS.get(name, CONFIG)
            if not config.is_file():
                raise ModelError(f"{config} is missing", "Download the model's folder completely")
            return folder
    raise ModelError(f"{path / name} is missing", "Download this folder, or put it beside the models that share it")


def find_models(path: Path) -> list[ModelCard]:
    """The models of a folder: itself if it has a model_index.json, else its sub-folders that have one, by name.

    Raises ModelError, naming the file, when nothing is there or anything of a model is missing or damaged.
    """
    if not path.exists():
        raise ModelError(f"{path} does not exist", "Check the path of the model")
    if not path.is_dir():
        raise ModelError(f"{path} is a file, not a folder", _LAYOUT)
    if (path / INDEX).is_file():
        return [_card(path, path.name)]
    parts = sorted(folder for folder in path.iterdir() if (folder / INDEX).is_file())
    if not parts:
        raise ModelError(f"{path} holds no {INDEX}", _LAYOUT)
    return [_card(part, f"{path.name}/{part.name}") for part in parts]


def _card(path: Path, name: str) -> ModelCard:
    folder = open_folder(path)
    family, modes = family_of(folder)
    size = sum(check_weights(file) for file in folder.weights())
    noise = folder.index.get(NOISE_KEY) is True
    return ModelCard(name, family, frozenset(modes), str(path), size, noise)
