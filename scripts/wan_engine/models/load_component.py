"""Loads one component of a model, whether it lies in a folder of its own or in a single file, and checks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.component import CONFIG, FOLDER, detect_component
from wan_engine.models.detect import Part, detect_file
from wan_engine.models.files import read_json, weight_files
from wan_engine.models.headers.header import DOWNLOAD_AGAIN
from wan_engine.models.integrity import check_finite, check_whole, check_words
from wan_engine.models.single_file import load_part

if TYPE_CHECKING:
    import torch

ATTENTION = "native"
"""Attention kernel of the transformers: torch's own scaled dot product attention."""

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

    def part(self) -> Part:
        """What lies there. Raises ModelError when it cannot be read."""
        return detect_component(self.place)


def load_network(wanted: Wanted) -> torch.nn.Module:
    """The network of a component, ready to run, its weights checked. Raises ModelError or what the library raises."""
    if wanted.vace is not None:
        module = load_part(_as_file(wanted.place), wanted.dtype, detect_file(wanted.vace), wanted.device)
    elif wanted.place.is_dir():
        module = _from_folder(wanted)
    else:
        module = load_part(detect_file(wanted.place), wanted.dtype, device=wanted.device)
    if wanted.name.startswith("transformer"):
        # Said, not left to diffusers, whose default can be changed by a variable of the environment.
        module.set_attention_backend(ATTENTION)  # type: ignore[operator]
    return module


def _as_file(place: Path) -> Part:
    """A transformer's file; of a folder the weights in it, with the folder's own config."""
    if not place.is_dir():
        return detect_file(place)
    files = weight_files(place)
    index = next(place.glob("*.safetensors.index.json"), None)
    part = detect_file(index if index is not None and len(files) > 1 else files[0])
    return replace(part, config=read_json(place / CONFIG))


def _from_folder(wanted: Wanted) -> torch.nn.Module:
    import torch

    dtype: torch.dtype = getattr(torch, wanted.dtype)
    options = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
    model, report = _LOADERS[_class_name(wanted)](wanted.place, dtype, options)
    _check_loaded(wanted.place, model, report)
    if wanted.name == "text_encoder":
        check_words(str(wanted.place), model)
    module: torch.nn.Module = model.to(wanted.device).eval().requires_grad_(False)
    return module


def _class_name(wanted: Wanted) -> str:
    by_name = {"vae": "AutoencoderKLWan", "text_encoder": "UMT5EncoderModel", "image_encoder": "CLIPVisionModel"}
    if wanted.name in by_name:
        return by_name[wanted.name]
    name = str(read_json(wanted.place / CONFIG).get("_class_name"))
    if name not in _LOADERS:
        raise ModelError(f"{wanted.place / CONFIG} is a {name}, which is not supported", "Use a Wan transformer")
    return name


def _diffusers(name: str) -> Callable[..., Any]:
    def load(folder: Path, dtype: torch.dtype, options: Mapping[str, Any]) -> Any:
        import diffusers

        return getattr(diffusers, name).from_pretrained(folder, torch_dtype=dtype, **options)

    return load


def _transformers(name: str) -> Callable[..., Any]:
    def load(folder: Path, dtype: torch.dtype, options: Mapping[str, Any]) -> Any:
        import transformers

        return getattr(transformers, name).from_pretrained(folder, dtype=dtype, **options)

    return load


_LOADERS: dict[str, Callable[..., Any]] = {
    **{name: _diffusers(name) for name in ("WanTransformer3DModel", "WanVACETransformer3DModel", "AutoencoderKLWan")},
    **{name: _transformers(name) for name in ("UMT5EncoderModel", "CLIPVisionModel")},
}


def _check_loaded(folder: Path, model: Any, report: dict[str, Any]) -> None:
    """Raises ModelError unless each weight is there and a number, and each tensor of the files was used."""
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        names = sorted(str(name) for name in report.get(kind) or ())
        if names:
            words = kind.replace("_keys", "")
            message = f"{folder} does not fit its config: {len(names)} {words} tensors, such as {names[0]}"
            raise ModelError(message, DOWNLOAD_AGAIN)
    check_whole(str(folder), model)
    for name, tensor in model.named_parameters():
        check_finite(str(folder), name, tensor)


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
    part = wanted.part()
    on = f" with {wanted.vace}" if wanted.vace is not None else ""
    kept = "from_pretrained" if part.format == FOLDER else part.layout
    words = f"{wanted.name}: {wanted.place}{on} ({part.label}, {part.precision}, {kept}), as {wanted.dtype}"
    return words, part.size
