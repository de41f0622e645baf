"""Pictures by Stability's service: Stable Diffusion 3 of the API v2beta, from words or from the keyframe before."""

from __future__ import annotations

import json
from typing import Any

from wan_engine.render.events import CancelCheck
from wan_engine.storyboard.keyframes import PictureRequest
from wan_engine.storyboard.keyframes.failures import status_error, timed_out, unreachable
from wan_engine.storyboard.keyframes.keyed import KeyedProvider
from wan_engine.storyboard.keyframes.sizes import fitted_image, nearest_shape, png_bytes

_ROUTE = "/v2beta/stable-image/generate/sd3"
_SIZES = {
    (1024, 1024): "1:1",
    (1344, 768): "16:9",
    (768, 1344): "9:16",
    (1536, 640): "21:9",
    (640, 1536): "9:21",
    (1216, 832): "3:2",
    (832, 1216): "2:3",
    (1152, 896): "5:4",
    (896, 1152): "4:5",
}
"""About the sizes that its aspect ratios give: one megapixel."""
_MOST_SEED = 2**32 - 2
_FILTERED = "CONTENT_FILTERED"


class StabilityProvider(KeyedProvider):
    """Stable Diffusion 3 or 3.5, by the configured model."""

    name = "stability"

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The nearest of its shapes."""
        return nearest_shape(width, height, _SIZES)

    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """Ask for one picture. Raises ProviderError."""
        import httpx

        service = self._service
        headers = {"authorization": f"Bearer {service.key}", "accept": "image/*"}
        try:
            with httpx.Client(timeout=service.timeout, trust_env=False) as connection:
                answer = connection.post(service.url + _ROUTE, headers=headers, files=_fields(request, service.model))
        except httpx.TimeoutException as error:
            raise timed_out(self.name, service) from error
        except httpx.HTTPError as error:
            raise unreachable(self.name, service) from error
        if answer.status_code != httpx.codes.OK:
            raise status_error(self.name, service, answer.status_code, _reason(answer.text), answer.headers)
        if answer.headers.get("finish-reason", "") == _FILTERED:
            raise status_error(self.name, service, 403, "the picture was filtered", answer.headers)
        return answer.content


def _fields(request: PictureRequest, model: str) -> dict[str, Any]:
    """The form's fields; the service takes multipart alone, also without a file."""
    words = {
        "prompt": request.prompt,
        "model": model,
        "seed": str(min(request.seed, _MOST_SEED)),
        "output_format": "png",
    }
    if request.negative:
        words["negative_prompt"] = request.negative
    if request.guidance:
        words["cfg_scale"] = f"{request.guidance:g}"
    files: dict[str, Any] = {}
    if request.start is not None:
        # Its strength is ours: 0 keeps the picture, 1 ignores it.
        words |= {"mode": "image-to-image", "strength": f"{request.strength:g}"}
        image = fitted_image(request.start, request.width, request.height)
        files["image"] = ("start.png", png_bytes(image), "image/png")
    else:
        shape = nearest_shape(request.width, request.height, _SIZES)
        words |= {"mode": "text-to-image", "aspect_ratio": _SIZES[shape]}
    return {name: (None, value) for name, value in words.items()} | files


def _reason(text: str) -> str:
    """The service's errors as one text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    errors = value.get("errors") if isinstance(value, dict) else None
    name = value.get("name", "") if isinstance(value, dict) else ""
    return f"{name}: {'; '.join(map(str, errors))}" if isinstance(errors, list) else text
