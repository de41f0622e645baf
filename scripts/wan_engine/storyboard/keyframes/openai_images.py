"""Pictures by OpenAI's image models: from words, or out of the keyframe before, with a mask or without."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from wan_engine.render.events import CancelCheck
from wan_engine.storyboard.keyframes import PictureRequest, ProviderError
from wan_engine.storyboard.keyframes.failures import status_error, timed_out, unreachable
from wan_engine.storyboard.keyframes.keyed import KeyedProvider
from wan_engine.storyboard.keyframes.sizes import fitted_image, fitted_mask, nearest_shape, png_bytes
from wan_engine.storyboard.openai_errors import own_words

if TYPE_CHECKING:
    from openai import OpenAI

_SIZES = ((1536, 1024), (1024, 1536), (1024, 1024))


class OpenAIProvider(KeyedProvider):
    """gpt-image-1, or the configured model. It knows no seeds, steps and strengths: an edit is as strong as it is."""

    name = "openai"
    masks = True

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The nearest of its three shapes."""
        return nearest_shape(width, height, _SIZES)

    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """Ask for one picture. Raises ProviderError."""
        import openai

        try:
            with self._client() as client:
                answer = _asked(client, self._service.model, request)
        except openai.APIStatusError as error:
            reason = f"{getattr(error, 'code', None) or ''} {own_words(error)}"
            raise status_error(self.name, self._service, error.status_code, reason, error.response.headers) from error
        except openai.APITimeoutError as error:
            raise timed_out(self.name, self._service) from error
        except openai.APIConnectionError as error:
            raise unreachable(self.name, self._service) from error
        except ValueError as error:
            raise _broken() from error
        try:
            return base64.b64decode(answer.data[0].b64_json, validate=True)
        except (AttributeError, TypeError, IndexError, ValueError) as error:
            raise _broken() from error

    def _client(self) -> OpenAI:
        from openai import OpenAI

        service = self._service
        # Pictures are tried again by whoever asks for them, with a word to the user.
        return OpenAI(
            base_url=service.url,
            api_key=service.key,
            organization="",
            project="",
            timeout=service.timeout,
            max_retries=0,
        )


def _asked(client: OpenAI, model: str, request: PictureRequest) -> Any:
    width, height = nearest_shape(request.width, request.height, _SIZES)
    size: Any = f"{width}x{height}"
    prompt = f"{request.prompt}. Do not show: {request.negative}" if request.negative else request.prompt
    if request.start is None:
        return client.images.generate(model=model, prompt=prompt, size=size, n=1)
    image = ("start.png", png_bytes(fitted_image(request.start, width, height)), "image/png")
    if request.mask is None:
        return client.images.edit(model=model, prompt=prompt, size=size, n=1, image=image)
    mask = ("mask.png", _alpha_mask(request, width, height), "image/png")
    return client.images.edit(model=model, prompt=prompt, size=size, n=1, image=image, mask=mask)


def _alpha_mask(request: PictureRequest, width: int, height: int) -> bytes:
    """The mask as the service wants it: of the picture's size, transparent where it is made new."""
    from PIL import ImageOps

    assert request.start is not None
    assert request.mask is not None
    image = fitted_image(request.start, width, height).convert("RGBA")
    image.putalpha(ImageOps.invert(fitted_mask(request.mask, width, height)))
    return png_bytes(image)


def _broken() -> ProviderError:
    return ProviderError("openai's answer holds no picture", "Try again", again=True)
