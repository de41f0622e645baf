"""Tells what one component of a model is: a weight file, an index of shards, or a folder in the diffusers layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.convert.layout import Kind
from wan_engine.models.detect import NAMERS, Part, detect_file
from wan_engine.models.files import read_json, weight_files
from wan_engine.models.headers.header import DOWNLOAD_AGAIN, Header
from wan_engine.models.headers.read import read_header
from wan_engine.models.precision import precision_of

CONFIG = "config.json"
"""File of a component's folder with its figures."""
FOLDER = "folder"
"""Format of a `Part` that is a folder in the diffusers layout, with a config of its own."""

_CLASSES: dict[str, Kind] = {
    "WanTransformer3DModel": "transformer",
    "WanVACETransformer3DModel": "transformer",
    "AutoencoderKLWan": "vae",
    "umt5": "text_encoder",
    "clip_vision_model": "image_encoder",
}
"""Kind of part by `_class_name` (diffusers) or `model_type` (transformers)."""

_DEFAULTS: dict[str, dict[str, Any]] = {
    "transformer": {"image_dim": None, "pos_embed_seq_len": None, "out_channels": 16},
    "vae": {"z_dim": 16, "is_residual": False},
}
"""What older configs leave out: the defaults of diffusers' classes."""


def detect_component(place: Path) -> Part:
    """What lies there. Raises ModelError when it cannot be read."""
    return detect_folder(place) if place.is_dir() else detect_file(place)


def component_kind(folder: Path) -> Kind | None:
    """The kind of part that a folder's config.json names; None for none of Wan's, or a damaged one."""
    try:
        return _kind(read_json(folder / CONFIG))
    except ModelError:
        return None


def _kind(config: Mapping[str, Any]) -> Kind | None:
    return _CLASSES.get(str(config.get("_class_name") or config.get("model_type")))


def detect_folder(folder: Path) -> Part:
    """What a component's folder is, by its config.json. Raises ModelError when it or the weights cannot be read."""
    config = read_json(folder / CONFIG)
    kind = _kind(config)
    if kind is None:
        raise ModelError(f"{folder / CONFIG} is of no part of a Wan model", "Give a folder of a Wan model's component")
    config = _DEFAULTS.get(kind, {}) | config
    header = _header(folder)
    try:
        families, label, problem = NAMERS[kind](config)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / CONFIG} is damaged: {error!r}", DOWNLOAD_AGAIN) from error
    return Part(
        path=folder,
        kind=kind,
        label=label,
        precision=precision_of(header),
        size=header.size,
        format=FOLDER,
        families=families,
        config=config,
        problem=problem,
        remedy="Use the folder of a published Wan model" if problem else "",
    )


def _header(folder: Path) -> Header:
    """The headers of a folder's weight files as one."""
    headers = [read_header(file) for file in weight_files(folder)]
    tensors: Mapping[str, Any] = {name: info for header in headers for name, info in header.tensors.items()}
    files = tuple(file for header in headers for file in header.files)
    return Header(folder, "safetensors", dict(tensors), {}, sum(header.size for header in headers), files)
