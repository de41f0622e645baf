"""Loads one component of a model, whether it lies in a folder of its own or in a single file, and checks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.component import CONFIG, detect_component
from wan_engine.models.convert.layouts import find_layout
from wan_engine.models.detect import Part, detect_file
from wan_engine.models.files import read_json, weight_files
from wan_engine.models.headers.header import DOWNLOAD_AGAIN
from wan_engine.models.headers.read import INDEX_ENDING, read_header
from wan_engine.models.precision import precision_of, unreadable_format
from wan_engine.models.single_file import CLASSES, load_part

if TYPE_CHECKING:
    import torch

_SCHEDULERS = ("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler")


@dataclass(frozen=True)
class Wanted:
    """A component that is wanted.

    name: of the component.  place: its folder, file or index.  dtype: of its weights, as torch names it.
    device: the weights are read to, as torch names it.  vace: file of VACE blocks to be put on a transformer, or None.
    """

    name: str
    place: Path
    dtype: str
    device: str = "cpu"
    vace: Path | None = None


def load_network(wanted: Wanted) -> torch.nn.Module:
    """The network of a component, ready to run, its weights checked. Raises ModelError."""
    part = _folder_part(wanted.place) if wanted.place.is_dir() else detect_file(wanted.place)
    vace = detect_file(wanted.vace) if wanted.vace is not None else None
    return load_part(part, wanted.dtype, vace, wanted.device)


def _folder_part(folder: Path) -> Part:
    """The weights in a component's folder, as its own config.json says. Raises ModelError."""
    files = weight_files(folder)
    index = next((file for file in folder.glob("*" + INDEX_ENDING) if len(files) > 1), files[0])
    header = read_header(index)
    found = find_layout(header.tensors)
    if found is None:
        raise ModelError(f"{index} is no part of a Wan model, or incomplete", DOWNLOAD_AGAIN)
    layout, prefix = found
    config = read_json(folder / CONFIG)
    name = {"text_encoder": "UMT5EncoderModel", "image_encoder": "CLIPVisionModel"}.get(layout.kind)
    config["_class_name"] = name or config.get("_class_name")
    if config["_class_name"] not in CLASSES:
        raise ModelError(f"{folder / CONFIG} is a {config['_class_name']}, which is not supported", "Use a Wan model")
    problem, remedy = unreadable_format(header)
    return Part(
        path=index,
        kind=layout.kind,
        label=config["_class_name"],
        precision=precision_of(header),
        size=header.size,
        format=header.format,
        layout=layout.name,
        prefix=prefix,
        config=config,
        problem=problem,
        remedy=remedy,
    )


def make_scheduler(where: Path, config: Mapping[str, Any]) -> Any:
    """The scheduler of a config. Each clip gets a fresh one made from it. Raises ModelError for an unknown one."""
    import diffusers

    name = config.get("_class_name")
    if name not in _SCHEDULERS:
        raise ModelError(f"{where} holds a {name}, which is not supported", f"Supported: {', '.join(_SCHEDULERS)}")
    return getattr(diffusers, name).from_config(config)


def load_image_processor(folder: Path | None, image_size: int) -> Any:
    """What prepares pictures for CLIP: of its folder, or as OpenCLIP ViT-H/14 was trained (OpenAI's CLIP values).

    image_size: width and height in pixels that the image encoder takes.
    """
    # The Pillow one: the other needs torchvision, which the engine does without.
    from transformers import CLIPImageProcessorPil

    if folder is not None:
        return CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
    sides = {"height": image_size, "width": image_size}
    return CLIPImageProcessorPil(size={"shortest_edge": image_size}, crop_size=sides)


def what(wanted: Wanted) -> tuple[str, int]:
    """A component in words, and the bytes of its files. Raises ModelError when it cannot be read."""
    part = detect_component(wanted.place)
    on = f" with {wanted.vace}" if wanted.vace is not None else ""
    words = f"{wanted.name}: {wanted.place}{on} ({part.label}, {part.precision}), as {wanted.dtype}"
    return words, part.size
