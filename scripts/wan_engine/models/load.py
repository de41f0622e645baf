"""Loads models into memory: diffusers pipelines made of checked components, shared between the models of a film."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import CapabilityError, ModelError, WanError
from wan_engine.families import Mode, ModelCard
from wan_engine.models.headers.header import DOWNLOAD_AGAIN
from wan_engine.models.integrity import check_whole, check_words
from wan_engine.models.model_set import ModelSource, open_model

if TYPE_CHECKING:
    import torch

ATTENTION = "native"
"""Attention kernel of the transformers: torch's own scaled dot product attention."""

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What torch's allocators say: CUDA and MPS the first, the CPU the others."""

log = logging.getLogger(__name__)


def choose_device(name: str = "auto") -> str:
    """The device to run on: the one asked for, or with `auto` the first GPU, else the CPU.

    Raises CapabilityError for a device this machine has not got.
    """
    import torch

    here = _devices()
    if name == "auto":
        return here[0]
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CapabilityError(f'"{name}" is no device', f"Available here: {', '.join(here)}") from error
    known = {str(torch.device(entry)) for entry in here}
    if str(device) not in known and f"{device}:0" not in known:
        raise CapabilityError(f'this machine has no device "{name}"', f"Available here: {', '.join(here)}")
    return str(device)


def _devices() -> list[str]:
    """The devices of this machine, the best first, `cpu` last."""
    import torch

    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    if torch.xpu.is_available():
        found += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
    return [*found, "cpu"]


def choose_dtype(name: str, device: str) -> str:
    """The transformer's number format: as asked, or with `auto` float32 on a CPU, bfloat16 on a GPU that has it."""
    import torch

    if name != "auto":
        return name
    if device == "cpu":
        return "float32"
    if device.startswith("cuda") and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "float16"
    return "bfloat16"


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception of torch means that its device, or main memory, is full."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)


def quiet_libraries() -> None:
    """No progress bars and hints on the terminal: the command line draws its own, and loading is checked here."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()


class Loader:
    """Loads each component once and builds the pipelines of a film's models from them.

    device: as from `choose_device`.  dtype: of the transformers (float32, bfloat16, float16); modules that diffusers
    keeps in float32 stay so. The VAE and the image encoder are float32, the text encoder bfloat16 on a GPU.
    """

    def __init__(self, device: str, dtype: str) -> None:
        self.device = device
        self.dtype = dtype
        self._components: dict[Path, Any] = {}
        self._pipelines: dict[tuple[str, bool], Any] = {}

    def pipeline(self, card: ModelCard, mode: Mode) -> Any:
        """A WanPipeline for t2v, else a WanImageToVideoPipeline, on the device. Raises ModelError."""
        key = (card.path, mode == "t2v")
        if key not in self._pipelines:
            self._pipelines[key] = self._build(open_model(card), mode == "t2v")
        return self._pipelines[key]

    def close(self) -> None:
        """Forget everything that was loaded and give the device's memory back."""
        import gc

        import torch

        self._pipelines.clear()
        self._components.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _build(self, folder: ModelSource, text_only: bool) -> Any:
        quiet_libraries()
        from diffusers import WanImageToVideoPipeline, WanPipeline

        names = ["tokenizer", "text_encoder", "vae", "scheduler", "transformer", "transformer_2"]
        if not text_only:
            names += ["image_encoder", "image_processor"]
        parts = {name: self._component(name, folder.components.get(name)) for name in names}
        kind = WanPipeline if text_only else WanImageToVideoPipeline
        pipeline = kind(**parts, boundary_ratio=folder.boundary_ratio, expand_timesteps=folder.expand_timesteps)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _component(self, name: str, folder: Path | None) -> Any:
        if folder is None:
            return None
        place = folder.resolve()
        if place not in self._components:
            log.info("Loading %s", place)
            try:
                self._components[place] = self._load(name, folder)
            except Exception as error:
                # The libraries raise whatever they stumble over in a damaged file; all of it means the same here.
                if isinstance(error, WanError) or is_out_of_memory(error):
                    raise
                message = f"{folder} cannot be loaded: {error}"
                raise ModelError(message, "Check that the folder is complete and of this model") from error
        return self._components[place]

    def _load(self, name: str, folder: Path) -> Any:
        local = {"local_files_only": True}
        if name == "tokenizer":
            from transformers import AutoTokenizer

            return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **local)
        if name == "scheduler":
            return _scheduler(folder)
        if name == "image_processor":
            # The Pillow one: the other needs torchvision, which the engine does without.
            from transformers import CLIPImageProcessorPil

            return CLIPImageProcessorPil.from_pretrained(folder, **local)
        model, report = self._model(name, folder)
        _check_loaded(folder, model, report)
        if name == "text_encoder":
            check_words(str(folder), model)
        return model.to(self.device).eval().requires_grad_(False)

    def _model(self, name: str, folder: Path) -> tuple[Any, dict[str, Any]]:
        import torch
        from diffusers import AutoencoderKLWan, WanTransformer3DModel
        from transformers import CLIPVisionModel, UMT5EncoderModel

        options = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
        loaded: tuple[Any, dict[str, Any]]
        if name in ("transformer", "transformer_2"):
            dtype: torch.dtype = getattr(torch, self.dtype)
            loaded = WanTransformer3DModel.from_pretrained(folder, torch_dtype=dtype, **options)
            # Said, not left to diffusers, whose default can be changed by a variable of the environment.
            loaded[0].set_attention_backend(ATTENTION)
        elif name == "vae":
            loaded = AutoencoderKLWan.from_pretrained(folder, torch_dtype=torch.float32, **options)
        elif name == "image_encoder":
            loaded = CLIPVisionModel.from_pretrained(folder, dtype=torch.float32, **options)
        else:
            text_dtype = torch.float32 if self.device == "cpu" else torch.bfloat16
            loaded = UMT5EncoderModel.from_pretrained(folder, dtype=text_dtype, **options)
        return loaded


def _scheduler(folder: Path) -> Any:
    """The scheduler whose config a model brings. Each clip gets a fresh one made from this config."""
    import diffusers

    from wan_engine.models.files import read_json

    name = read_json(folder / "scheduler_config.json").get("_class_name")
    known = ("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler")
    if name not in known:
        raise ModelError(f"{folder} holds a {name}, which is not supported", f"Supported: {', '.join(known)}")
    return getattr(diffusers, name).from_pretrained(folder, local_files_only=True)


def _check_loaded(folder: Path, model: Any, report: dict[str, Any]) -> None:
    """Raises ModelError unless every weight came from the files and every tensor of the files was used."""
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        names = sorted(str(name) for name in report.get(kind) or ())
        if names:
            words = kind.replace("_keys", "")
            message = f"{folder} does not fit its config: {len(names)} {words} tensors, such as {names[0]}"
            raise ModelError(message, DOWNLOAD_AGAIN)
    check_whole(str(folder), model)
