"""Pictures by the running WebUI's own checkpoint, over its API: txt2img and img2img."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from wan_engine.render.events import CancelCheck
from wan_engine.storyboard.keyframes import PictureProvider, PictureRequest, ProviderError
from wan_engine.storyboard.keyframes.failures import status_error, timed_out, unreachable
from wan_engine.storyboard.keyframes.sizes import fitted_image, fitted_mask, png_bytes, same_shape
from wan_engine.storyboard.services import Service

_LEAST_PIXELS, _MOST_PIXELS = 512 * 512, 1024 * 1024
"""Outside of these checkpoints repeat or smear what they draw; which one the WebUI has is not known beforehand."""
_MULTIPLE = 8
_USUAL = "http://127.0.0.1:7860"
"""Where a WebUI is that nobody has told of."""
_CROP_AND_RESIZE = 1


class WebuiProvider(PictureProvider):
    """Whatever checkpoint the WebUI has loaded; the engine changes nothing there."""

    name = "webui"
    changes = True
    masks = True
    asks_webui = True

    def __init__(self, service: Service) -> None:
        self._service = service if service.url else replace(service, url=_USUAL)
        self._identity: dict[str, Any] = {}

    def check(self) -> None:
        """Nothing: it has an address in any case, and only asking tells whether it answers."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The film's own size, where a checkpoint can draw it."""
        pixels = min(_MOST_PIXELS, max(_LEAST_PIXELS, width * height))
        return same_shape(width, height, pixels, _MULTIPLE)

    def identity(self) -> dict[str, Any]:
        """Its address and the checkpoint it has now, which it is asked for once. Raises ProviderError."""
        if not self._identity:
            options = self._ask("GET", "options", None)
            checkpoint = str(options.get("sd_model_checkpoint", ""))
            self._identity = {"url": self._service.url, "checkpoint": checkpoint}
        return dict(self._identity)

    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """Ask for one picture. Raises ProviderError."""
        answer = self._ask("POST", "txt2img" if request.start is None else "img2img", _body(request))
        try:
            image = answer["images"][0]
            return base64.b64decode(image.partition(",")[2] if image.startswith("data:") else image, validate=True)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise ProviderError("the WebUI's answer holds no picture", "Try again", again=True) from error

    def _ask(self, method: str, route: str, body: dict[str, Any] | None) -> dict[str, Any]:
        import httpx

        service = self._service
        credentials = (service.user, service.password) if service.user else None
        try:
            with httpx.Client(timeout=service.timeout, trust_env=False, auth=credentials) as connection:
                answer = connection.request(method, f"{service.url}/sdapi/v1/{route}", json=body)
        except httpx.ConnectError as error:
            remedy = "Start it with --api, or write its address under webui in services.yaml in the state folder"
            raise ProviderError(f"no WebUI answers at {service.url}", remedy, for_all=True) from error
        except httpx.TimeoutException as error:
            raise timed_out(self.name, service) from error
        except httpx.HTTPError as error:
            raise unreachable(self.name, service) from error
        if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            words = f"the WebUI at {service.url} runs without its API"
            raise ProviderError(words, "Start it with --api", for_all=True)
        if answer.status_code != httpx.codes.OK:
            raise status_error(self.name, service, answer.status_code, answer.text, answer.headers)
        try:
            value = answer.json()
        except ValueError as error:
            raise ProviderError("the WebUI's answer is no JSON", "Check its address", again=True) from error
        return value if isinstance(value, dict) else {}


def _body(request: PictureRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative,
        "seed": request.seed,
        "width": request.width,
        "height": request.height,
        "batch_size": 1,
        "n_iter": 1,
    }
    if request.steps:
        body["steps"] = request.steps
    if request.guidance:
        body["cfg_scale"] = request.guidance
    if request.start is not None:
        start = png_bytes(fitted_image(request.start, request.width, request.height))
        body["init_images"] = [base64.b64encode(start).decode("ascii")]
        body["denoising_strength"] = request.strength
        body["resize_mode"] = _CROP_AND_RESIZE
    if request.mask is not None:
        mask = png_bytes(fitted_mask(request.mask, request.width, request.height))
        body["mask"] = base64.b64encode(mask).decode("ascii")
        body |= {"inpainting_mask_invert": 0, "inpainting_fill": 1, "inpaint_full_res": False}
    return body
