"""Keeps a film within its device's memory: makes room before each piece of work, and steps down when it is full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from wan_engine.backends.wan.guard import guarded
from wan_engine.errors import OutOfMemoryError
from wan_engine.models.memory.needs import Clip, Weights, decoding_bytes, denoising_bytes, encoding_bytes
from wan_engine.models.memory.place import Placer
from wan_engine.models.memory.profiles import below

Result = TypeVar("Result")

_ROOM = 1.25
"""Room that is made, against the estimate: moving a component costs seconds, a full memory a whole profile."""


@dataclass(frozen=True)
class ClipMemory:
    """The memory that one clip is rendered in.

    placer: knows where the components are.  weights: the sizes of the clip's model.  clip: what is asked of it.
    say: tells the user a sentence.
    """

    placer: Placer
    weights: Weights
    clip: Clip
    say: Callable[[str], None]

    def for_denoising(self, transformer: Any) -> None:
        """Bring a transformer onto the device, with room to compute."""
        self._bring(transformer, denoising_bytes(self.weights, self.clip))

    def for_encoding(self, pipeline: Any) -> None:
        """Bring what encodes pictures onto the device, with room to compute."""
        self._bring(pipeline.vae, encoding_bytes(self.weights, self.clip, self.placer.profile.tiled))
        self.placer.use(getattr(pipeline, "image_encoder", None))

    def for_decoding(self, pipeline: Any) -> None:
        """Bring the VAE onto the device, with room to compute."""
        self._bring(pipeline.vae, decoding_bytes(self.weights, self.clip, self.placer.profile.tiled))

    def for_preview(self, pipeline: Any) -> None:
        """Bring the VAE onto the device beside whatever is there; a preview is small."""
        self.placer.use(pipeline.vae)

    def _bring(self, module: Any, room: int) -> None:
        self.placer.use(module, int(room * _ROOM))

    def attempt(self, doing: str, work: Callable[[], Result], undo: Callable[[], None] = lambda: None) -> Result:
        """The result of `work`; see `attempt`."""
        return attempt(self.placer, self.say, doing, work, undo)


def attempt(
    placer: Placer,
    say: Callable[[str], None],
    doing: str,
    work: Callable[[], Result],
    undo: Callable[[], None] = lambda: None,
) -> Result:
    """The result of `work`, which is done again with the next lower profile each time the memory is full.

    undo: called before it is done again; puts back what it may have changed. Raises OutOfMemoryError when it does not
    fit under the lowest profile either, RenderError when torch fails otherwise.
    """
    while True:
        try:
            with guarded(doing):
                return work()
        except OutOfMemoryError as error:
            if below(placer.profile) is None:
                raise
            message = error.message
        # Not in the block above: while the error lives, so do the frames it came through, and all their tensors.
        undo()
        with guarded("moving the model out of the device's memory"):
            lower = placer.step_down()
        if lower is not None:
            say(f"{message}; it goes on with the memory profile {lower.name}: {lower.words}")
