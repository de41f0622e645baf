"""The embedded small model's own pictures: the first frame of a text-to-video clip. For tests and tries, 64x64."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import Any

from wan_engine.backends import Backend, ClipRequest
from wan_engine.film import plan_film
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.render.opened import opened_backend
from wan_engine.settings import Settings
from wan_engine.storyboard.keyframes import PictureProvider, PictureRequest

_SIDE = 64
_FRAMES = 5
"""The shortest clip that is asked of a model."""


class TinyProvider(PictureProvider):
    """Shapes on a plain ground, as the small model knows them."""

    name = "tiny"

    def __init__(self) -> None:
        self._open = ExitStack()
        self._backend: Backend | None = None

    def check(self) -> None:
        """The model ships with the project."""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The small model's own."""
        return _SIDE, _SIDE

    def identity(self) -> dict[str, Any]:
        """There is only one small model."""
        return {"frames": _FRAMES}

    def make(self, request: PictureRequest, cancelled: CancelCheck) -> bytes:
        """The first frame of a clip of these words. Raises ModelError, RenderError and Cancelled."""
        from PIL import Image

        settings = _settings(request)
        plan = plan_film(settings)
        if self._backend is None:
            self._backend = self._open.enter_context(opened_backend(settings, lambda _event: None))
        self._backend.resolve(plan)
        run = self._backend.start(ClipRequest(plan.clips[0], plan.width, plan.height))
        while run.steps_done < plan.clips[0].steps:
            if cancelled():
                raise stopped()
            run.step()
        data = io.BytesIO()
        Image.fromarray(next(iter(run.frames())), "RGB").save(data, "PNG")
        return data.getvalue()

    def close(self) -> None:
        """Let the model go."""
        self._backend = None
        self._open.close()


def _settings(request: PictureRequest) -> Settings:
    return Settings(
        prompts={"0": request.prompt},
        negative_prompt=request.negative,
        max_frames=_FRAMES,
        width=request.width,
        height=request.height,
        seed=request.seed,
        steps=str(request.steps) if request.steps else "",
        guidance_scale=str(request.guidance) if request.guidance else "",
        device="cpu",
    )
