"""Multiplies fp8 weights with the factors that lie beside them, in ComfyUI's older and newer kind of file.

Older: a tensor `scaled_fp8`, and `.scale_weight` beside each `.weight`. Newer: `.weight_scale`, with `.comfy_quant`, a
small JSON that names the format. Without the factors the weights are about a hundred times too large, and the pictures
are noise: diffusers 0.42 loads such a file without them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.precision import FP8_FORMATS, SCALES, is_beside

if TYPE_CHECKING:
    import torch


class Scaled(Mapping[str, "torch.Tensor"]):
    """The weights of a file, multiplied with their factors in float32 where they have some. The factors are not named.

    where: the file, for messages.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor], where: str) -> None:
        self._weights = weights
        self._where = where
        self._names = [name for name in weights if not is_beside(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> torch.Tensor:
        weight = self._weights[name]
        module = name.removesuffix(".weight")
        factor_name = next((module + ending for ending in SCALES if module + ending in self._weights), None)
        if module == name or factor_name is None:
            return weight
        self._check_format(module)
        factor = self._weights[factor_name].float()
        if not bool(factor.isfinite().all()):
            raise ModelError(f"{self._where}: the factor {factor_name} is not a number", "Download this file again")
        # One factor for all, or one for each row.
        return weight.float() * (factor.reshape(-1, *[1] * (weight.dim() - 1)) if factor.numel() > 1 else factor)

    def _check_format(self, module: str) -> None:
        """Raises ModelError when the JSON beside a weight names another format than fp8."""
        if f"{module}.comfy_quant" not in self._weights:
            return
        try:
            said: Any = json.loads(bytes(self._weights[f"{module}.comfy_quant"].tolist()))
            name = said.get("format", FP8_FORMATS[0])
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError(f"{self._where}: {module}.comfy_quant is damaged", "Download this file again") from error
        if name not in FP8_FORMATS or said.get("convrot"):
            message = f"{self._where}: {module} is quantised as {name}, which is not supported"
            raise ModelError(message, "Get it as bf16, fp16, fp8 or GGUF")
