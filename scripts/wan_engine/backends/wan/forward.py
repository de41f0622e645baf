"""Runs the transformers of a clip: with its LoRAs, on the device, and with compiled blocks where that was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from wan_engine.backends.wan.loras import ClipLoras
from wan_engine.backends.wan.memory import ClipMemory
from wan_engine.models.devices import is_out_of_memory

if TYPE_CHECKING:
    import torch

COMPILER = "inductor"
"""torch's name of what turns the blocks into kernels."""
_OF_THE_COMPILER = ("torch._dynamo", "torch._inductor", "triton")
"""Modules whose exceptions mean that the compiling failed."""

_LONGEST = 300


class CompiledBlocks:
    """The transformers whose blocks are compiled, and whether that still works.

    say: tells the user a sentence.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._compiled: WeakSet[Any] = WeakSet()
        self._failed = False

    def run(self, transformer: Any, work: Callable[[], torch.Tensor], wanted: bool) -> torch.Tensor:
        """The result of `work`, a forward of the transformer: compiled if wanted, and as it is where that fails."""
        import torch

        if wanted and not self._failed:
            if transformer not in self._compiled:
                # One variant for each length of clip: one for all of them computes slower.
                transformer.compile_repeated_blocks(backend=COMPILER, dynamic=False)
                self._compiled.add(transformer)
            try:
                return work()
            except Exception as error:
                if is_out_of_memory(error) or not type(error).__module__.startswith(_OF_THE_COMPILER):
                    raise
                self._failed = True
                said = " ".join(str(error).strip().partition("\n\n")[0].split())  # torch's advice comes behind
                self._say(f"The transformer's blocks could not be compiled; they run as they are: {said[:_LONGEST]}")
        if transformer not in self._compiled:
            return work()
        with torch.compiler.set_stance("force_eager"):
            return work()

    def close(self) -> None:
        """Forget what was compiled."""
        import torch

        if self._compiled:
            torch.compiler.reset()
        self._compiled.clear()
        self._failed = False


@dataclass(frozen=True)
class Forward:
    """The forwards of one clip. compile: run with compiled blocks."""

    loras: ClipLoras
    memory: ClipMemory
    blocks: CompiledBlocks
    compile: bool

    def prepare(self, transformer: Any) -> None:
        """Put the clip's LoRAs on a transformer and bring it onto the device."""
        self.loras.on(transformer)
        self.memory.for_denoising(transformer)

    def __call__(self, transformer: Any, text: torch.Tensor | None, **given: Any) -> torch.Tensor:
        """The velocity that a prepared transformer predicts for an embedded text; given: its other inputs."""

        def work() -> torch.Tensor:
            velocity: torch.Tensor = transformer(encoder_hidden_states=text, **given)[0]
            return velocity

        return self.blocks.run(transformer, work, self.compile)
