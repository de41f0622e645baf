"""Finds the models in a folder of the diffusers layout and tells what each can do from its configs.

Neither torch nor diffusers is needed: only JSON files and the headers of weight files are read. What a model is, its
configs say; the folder's name is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import CapabilityError, ModelError
from wan_engine.families import FAMILIES, MODE_WORDS, MODES, Family, Lineup, Mode, ModelCard
from wan_engine.models.files import check_weights, fingerprint, read_json, weight_files
from wan_engine.settings import Settings

INDEX = "model_index.json"
NOISE_KEY = "_wan_noise"
"""Key of model_index.json that says that the weights are random."""

WITH_WEIGHTS = ("transformer", "transformer_2", "text_encoder", "vae", "image_encoder")
WITHOUT_WEIGHTS = {
    "tokenizer": "tokenizer_config.json",
    "scheduler": "scheduler_config.json",
    "image_processor": "preprocessor_config.json",
}
NEEDED = ("transformer", "text_encoder", "vae", "tokenizer", "scheduler")

_KINDS = ("WanTransformer3DModel", "WanVACETransformer3DModel")
_TINY_DIM = 1024
_FLF2V_TOKENS = 514
_LAYOUT = "Give a folder in the diffusers layout (with model_index.json), or a folder of such folders"


@dataclass(frozen=True)
class ModelFolder:
    """A model's folder: its index and where each of its components lies.

    components: folder by component name, those that the index names.  index: the content of model_index.json.
    """

    path: Path
    index: dict[str, Any]
    components: dict[str, Path]

    @property
    def boundary_ratio(self) -> float | None:
        """Share of the noise levels below which the second expert takes over, 0 to 1; None with one transformer."""
        value = self.index.get("boundary_ratio")
        return None if value is None else float(value)

    @property
    def expand_timesteps(self) -> bool:
        """Whether each latent frame has a timestep of its own (Wan 2.2 TI2V)."""
        return bool(self.index.get("expand_timesteps"))

    def config(self, component: str) -> dict[str, Any]:
        """The config of a component with weights. Raises ModelError."""
        return read_json(self.components[component] / "config.json")

    def weights(self) -> tuple[Path, ...]:
        """Every weight file of the model. Raises ModelError when one is missing."""
        names = [name for name in WITH_WEIGHTS if name in self.components]
        return tuple(file for name in names for file in weight_files(self.components[name]))

    def fingerprint(self) -> str:
        """A sha256 over configs and samples of the weights, the same wherever the folder lies."""
        files = {INDEX: self.path / INDEX}
        for name, folder in self.components.items():
            weights = weight_files(folder) if name in WITH_WEIGHTS else ()
            files |= {f"{name}/{file.name}": file for file in (*weights, *folder.glob("*.json"))}
        return fingerprint(files)


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
    return ModelFolder(path, index, components)


def _present(entry: Any) -> bool:
    """A component of the index is a pair of library and class; [null, null] means that it is left out."""
    return isinstance(entry, list) and len(entry) == 2 and all(entry)


def _component(path: Path, name: str) -> Path:
    for folder in (path / name, path.parent / name):
        if folder.is_dir():
            config = folder / WITHOUT_WEIGHTS.get(name, "config.json")
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
    family, modes = _family(folder)
    size = sum(check_weights(file) for file in folder.weights())
    noise = folder.index.get(NOISE_KEY) is True
    return ModelCard(name, family, frozenset(modes), str(path), size, noise)


@dataclass(frozen=True)
class _Shape:
    """What of a transformer's config tells the family. Numbers as in diffusers' WanTransformer3DModel.

    vace: whether it is a WanVACETransformer3DModel.
    """

    dim: int
    layers: int
    in_channels: int
    image_dim: int | None
    pos_embed_seq_len: int | None
    experts: int
    expand_timesteps: bool
    vace: bool

    def words(self) -> str:
        """The figures, for messages."""
        image = f", image_dim {self.image_dim}" if self.image_dim else ""
        kind = "VACE, " if self.vace else ""
        size = f"{kind}dim {self.dim}, {self.layers} layers, {self.in_channels} input channels{image}"
        return f"{size}, {self.experts} experts"


def _shape(folder: ModelFolder) -> _Shape:
    config = folder.config("transformer")
    where = folder.components["transformer"] / "config.json"
    kind = config.get("_class_name")
    if kind not in _KINDS:
        remedy = "Use a Wan T2V, I2V, FLF2V, TI2V or VACE model"
        raise ModelError(f"{where} is a {kind}, which is not supported", remedy)
    try:
        return _Shape(
            dim=int(config["num_attention_heads"]) * int(config["attention_head_dim"]),
            layers=int(config["num_layers"]),
            in_channels=int(config["in_channels"]),
            image_dim=config.get("image_dim"),
            pos_embed_seq_len=config.get("pos_embed_seq_len"),
            experts=2 if "transformer_2" in folder.components else 1,
            expand_timesteps=folder.expand_timesteps,
            vace=kind == _KINDS[1],
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{where} is damaged: {error!r}", "Download this file again") from error


def _modes(shape: _Shape) -> tuple[Mode, ...]:
    """What weights of this shape were trained for; empty for none of ours."""
    if shape.vace:
        return ("vace",) if shape.in_channels == 16 else ()
    if shape.expand_timesteps:
        return ("t2v", "i2v")
    if shape.in_channels == 16:
        return ("t2v",)
    if shape.in_channels != 36:
        return ()
    if shape.pos_embed_seq_len is not None:
        return ("flf2v",)
    return ("i2v",) if shape.image_dim is not None else ("i2v", "flf2v")


def _family(folder: ModelFolder) -> tuple[Family, tuple[Mode, ...]]:
    """The family and the modes. The published sizes are those of the models' own configs."""
    shape = _shape(folder)
    _check_experts(folder)
    modes = _modes(shape)
    latent = _check_vae(folder, shape)
    size = (shape.dim, shape.layers, shape.in_channels, shape.experts)
    image = shape.image_dim is not None
    name = {
        (1536, 30, 16, 1): "wan2.1-vace-1.3b" if shape.vace else "wan2.1-t2v-1.3b",
        (5120, 40, 16, 1): "wan2.1-vace-14b" if shape.vace else "wan2.1-t2v-14b",
        (5120, 40, 16, 2): "" if shape.vace else "wan2.2-t2v-a14b",
        (5120, 40, 36, 1): "wan2.1-i2v-14b" if image else "",
        (5120, 40, 36, 2): "" if image else "wan2.2-i2v-a14b",
        (3072, 30, 48, 1): "wan2.2-ti2v-5b" if shape.expand_timesteps else "",
    }.get(size, "wan-tiny" if shape.dim <= _TINY_DIM else "")
    if name == "wan2.1-i2v-14b" and shape.pos_embed_seq_len == _FLF2V_TOKENS:
        name = "wan2.1-flf2v-14b"
    if not name or not modes:
        families = ", ".join(family.label for family in FAMILIES.values())
        message = f"{folder.path} is no Wan model this engine knows: its transformer has {shape.words()}"
        raise ModelError(message, f"Known families: {families}")
    family = FAMILIES[name]
    if name == "wan-tiny":
        family = replace(family, size_multiple=max(family.size_multiple, 2 * latent))
    return family, modes


def _check_experts(folder: ModelFolder) -> None:
    if ("transformer_2" in folder.components) != (folder.boundary_ratio is not None):
        message = f"{folder.path / INDEX} must name both transformer_2 and boundary_ratio, or neither"
        raise ModelError(message, "Use the model_index.json that was published with the model")


def _check_vae(folder: ModelFolder, shape: _Shape) -> int:
    """Pixels a latent is wide, after checking that the VAE's latents are what the transformer takes."""
    config = folder.config("vae")
    channels, stride = config.get("z_dim", 16), config.get("scale_factor_spatial", 8)
    # 36 input channels are 16 of latents, 16 of the condition and 4 of its mask.
    wanted = 16 if shape.in_channels == 36 else shape.in_channels
    where = folder.components["vae"] / "config.json"
    if channels != wanted:
        message = f"{where} has latents of {channels} channels, but the transformer takes {wanted}"
        raise ModelError(message, "Use the vae folder that was published with this model")
    if stride not in (8, 16):
        raise ModelError(f"{where} has scale_factor_spatial {stride!r}", "Wan's VAEs have 8 or 16")
    return int(stride)


def lineup(settings: Settings, embedded: Path) -> Lineup:
    """The models of a film: of `model` the first that can do a mode; `i2v_model` and `flf2v_model` win for theirs.

    embedded: folder of the embedded small model, taken when no model is set. Raises ModelError for a folder that cannot
    be used, CapabilityError for an explicit model that cannot do what it is set for.
    """
    cards: dict[Mode, ModelCard] = {}
    found = find_models(Path(settings.model).expanduser() if settings.model else embedded)
    for mode in MODES:
        able = [card for card in found if mode in card.modes]
        if able:
            cards[mode] = able[0]
    explicit: tuple[tuple[Mode, str], ...] = (("i2v", settings.i2v_model), ("flf2v", settings.flf2v_model))
    for mode, path in explicit:
        if not path:
            continue
        found = find_models(Path(path).expanduser())
        able = [card for card in found if mode in card.modes]
        if not able:
            words = Lineup({can: card for card in found for can in card.modes}).words()
            message = f"{mode}_model: {path} cannot do {MODE_WORDS[mode]}; it can do {words}"
            raise CapabilityError(message, f"Set {mode}_model to a model that can, or leave it out")
        cards[mode] = able[0]
    return Lineup(cards)
