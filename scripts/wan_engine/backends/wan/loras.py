"""The LoRAs of one clip, put on the transformers it is rendered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wan_engine.models.lora.adapters import use_loras
from wan_engine.models.lora.check import changes
from wan_engine.plan.model import Clip


class ClipLoras:
    """The LoRAs of a clip and the pipeline it is rendered with.

    Each is loaded here, so that one that cannot be used is found before the first step. Clips share transformers: `on`
    is called before each step, and changes something only when another clip ran in between.
    dtype: of the transformers (float32, bfloat16, float16).  Raises ModelError.
    """

    def __init__(self, pipeline: Any, clip: Clip, dtype: str, model: str) -> None:
        import torch

        self._clip = clip
        self._dtype: torch.dtype = getattr(torch, dtype)
        self._model = model
        second = pipeline.transformer_2
        self._parts = {"transformer": pipeline.transformer} | ({"transformer_2": second} if second is not None else {})
        for transformer in self._parts.values():
            self.on(transformer)

    def on(self, transformer: Any) -> None:
        """Let this transformer of the pipeline run with the clip's LoRAs for it, and no others."""
        part = next(name for name, there in self._parts.items() if there is transformer)
        weights: dict[Path, float] = {}
        for lora in self._clip.loras:
            if changes(part, lora.expert, len(self._parts) > 1):
                path = Path(lora.path)
                weights[path] = weights.get(path, 0.0) + lora.weight
        use_loras(transformer, weights, self._dtype, self._model)
