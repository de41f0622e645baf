"""Pictures by Stable Diffusion 3 on this machine, from a local folder of the diffusers layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import InputError, ModelError, OutOfMemoryError, Problem
from wan_engine.models.devices import choose_device, is_out_of_memory
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.storyboard.keyframes import PictureProvider, PictureRequest
from wan_engine.storyboard.keyframes.sizes import fitted_image, fitted_mask, png_bytes, same_shape
from wan_engine.storyboard.services import Service, how_to_set

if TYPE_CHECKING:
    from PIL.Image import Image

_PIXELS = 1024 * 1024
"""What it was trained for (Stable Diffusion 3 model card)."""
_MULTIPLE = 16
_INDEX, _CLASS = "model_index.json", "StableDiffusion3Pipeline"


class Sd3Provider(PictureProvider):
    """One folder, loaded with the first picture. On a GPU only the part that computes lies in its memory."""

    name = "sd3"
    changes = True
    masks = True
    local = True

    def __init__(self, service: Service, device: str) -> None:
        self._folder = service.folder
        self._device = device
        self._pipeline: Any = None

    def check(self) -> None:
        """Raise InputError without a folder, ModelError for one that holds something else."""
        if not self._folder:
            problem = Problem("no folder of Stable Diffusion 3 is configured", how_to_set("sd3", "folder"), "provider")
            raise InputError(problem)
        index = Path(self._folder).expanduser() / _INDEX
        try:
            found = json.loads(index.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                f"sd3: {index} cannot be read ({error})", "Name a folder of the diffusers layout"
            ) from error
        if not isinstance(found, dict) or found.get("_class_name") != _CLASS:
            raise ModelError(f"sd3: {self._folder} holds no {_CLASS}", "Name the folder of Stable Diffusion 3 or 3.5")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """One megapixel of the film's shape."""
        return same_shape(width, height, _PIXELS, _MULTIPLE)

    def identity(self) -> dict[str, Any]:
        """The folder."""
        return {"folder": str(Path(self._folder).expanduser())}

    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """Draw one picture. Raises ModelError, OutOfMemoryError and Cancelled."""
        import torch

        def after_step(_pipe: Any, _step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
            if cancelled():
                raise stopped()
            return values

        pipeline, own = self._for(request)
        values: dict[str, Any] = {
            "prompt": request.prompt,
            "negative_prompt": request.negative,
            # On the CPU, so that a seed gives the same noise on every device.
            "generator": torch.Generator("cpu").manual_seed(request.seed),
            "callback_on_step_end": after_step,
            "width": request.width,
            "height": request.height,
            **own,
        }
        if request.steps:
            values["num_inference_steps"] = request.steps
        if request.guidance:
            values["guidance_scale"] = request.guidance
        try:
            image: Image = pipeline(**values).images[0]
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemoryError("sd3: the device's memory is full", "Set a smaller picture size") from error
        return png_bytes(image)

    def _for(self, request: PictureRequest) -> tuple[Any, dict[str, Any]]:
        """The pipeline of this kind of request over the same weights, and what it alone is given."""
        import diffusers

        pipeline = self._loaded()
        if request.start is None:
            return pipeline, {}
        image = fitted_image(request.start, request.width, request.height)
        given: dict[str, Any] = {"image": image, "strength": request.strength}
        if request.mask is None:
            return diffusers.StableDiffusion3Img2ImgPipeline.from_pipe(pipeline), given
        given["mask_image"] = fitted_mask(request.mask, request.width, request.height)
        return diffusers.StableDiffusion3InpaintPipeline.from_pipe(pipeline), given

    def _loaded(self) -> Any:
        import diffusers
        import torch

        if self._pipeline is not None:
            return self._pipeline
        device = choose_device(self._device)
        dtype = torch.float32 if device == "cpu" else torch.bfloat16
        try:
            pipeline = diffusers.StableDiffusion3Pipeline.from_pretrained(
                Path(self._folder).expanduser(),
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                **self._left_out(),
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"sd3: {self._folder} cannot be loaded: {error}", "Fetch the folder anew") from error
        pipeline.set_progress_bar_config(disable=True)
        if device.startswith("cuda"):
            pipeline.enable_model_cpu_offload(device=device)
        else:
            pipeline.to(device)
        self._pipeline = pipeline
        return pipeline

    def _left_out(self) -> dict[str, None]:
        """The T5 encoder and its tokenizer, where the folder has none: it can do without them."""
        folder = Path(self._folder).expanduser()
        return {name: None for name in ("text_encoder_3", "tokenizer_3") if not (folder / name).is_dir()}

    def close(self) -> None:
        """Let the weights go."""
        import gc

        if self._pipeline is None:
            return
        import torch

        self._pipeline = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
