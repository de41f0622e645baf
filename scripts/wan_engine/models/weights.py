"""Reads the tensors that a header lists, one at a time, so that a model is never in memory twice.

All files are mapped, not read: a tensor takes memory when it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import DOWNLOAD_AGAIN, Header
from wan_engine.models.headers.torch_file import ROOT

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

_CHUNK_ROWS = 4096
"""Rows that are dequantised at once; of UMT5's word table, the largest tensor, that is 64 MB of float32."""


def open_weights(header: Header) -> Tensors:
    """The tensors of a file by name, in their own number format; a quantised one of GGUF as diffusers' GGUFParameter.

    Raises ModelError when the file cannot be opened.
    """
    readers = {"safetensors": _SafetensorsWeights, "gguf": _GgufWeights, "torch": _torch_weights}
    try:
        weights: Tensors = readers[header.format](header)
    except Exception as error:
        # The libraries raise whatever they stumble over in a damaged file; all of it means the same here.
        raise ModelError(f"{header.path} cannot be opened: {error}", DOWNLOAD_AGAIN) from error
    return weights


def _torch_weights(header: Header) -> dict[str, torch.Tensor]:
    import torch

    content: Any = torch.load(header.path, map_location="cpu", weights_only=True, mmap=True)
    root = header.metadata.get(ROOT)
    entries = content[root] if root else content
    return {name: entries[name].detach() for name in header.tensors}


class _Weights(Mapping[str, "torch.Tensor"]):
    """Names as in the header; subclasses read one tensor."""

    def __init__(self, header: Header) -> None:
        self._header = header

    def __iter__(self) -> Iterator[str]:
        return iter(self._header.tensors)

    def __len__(self) -> int:
        return len(self._header.tensors)


class _SafetensorsWeights(_Weights):
    def __init__(self, header: Header) -> None:
        from safetensors import safe_open

        super().__init__(header)
        self._open = [safe_open(file, framework="pt", device="cpu") for file in header.files]

    def __getitem__(self, name: str) -> torch.Tensor:
        tensor: torch.Tensor = self._open[self._header.tensors[name].file].get_tensor(name)  # type: ignore[no-untyped-call]
        return tensor


class _GgufWeights(_Weights):
    def __init__(self, header: Header) -> None:
        import numpy

        super().__init__(header)
        # Copy on write: torch warns of memory it must not write to, though nobody writes.
        self._bytes = numpy.memmap(header.path, dtype=numpy.uint8, mode="c")

    def __getitem__(self, name: str) -> torch.Tensor:
        import torch

        info = self._header.tensors[name]
        data = torch.from_numpy(self._bytes[info.start : info.start + info.size])
        plain = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
        if info.dtype in plain:
            return data.view(plain[info.dtype]).reshape(info.shape)
        from diffusers.quantizers.gguf.utils import GGUFParameter
        from gguf import GGMLQuantizationType

        rows = data.reshape(*info.shape[:-1], -1)
        quantised: torch.Tensor = GGUFParameter(rows, quant_type=GGMLQuantizationType[info.dtype])
        return quantised


def is_quantised(tensor: torch.Tensor) -> bool:
    """Whether a tensor is one of GGUF's quantised ones."""
    return hasattr(tensor, "quant_type")


def dequantised(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A quantised tensor of GGUF as plain numbers, by gguf's own formulas in float32, then rounded to `dtype`."""
    import torch
    from gguf.quants import dequantize

    rows = tensor.as_tensor().reshape(-1, tensor.shape[-1])  # type: ignore[attr-defined]
    shape = tensor.quant_shape  # type: ignore[attr-defined]
    made = torch.empty((rows.shape[0], shape[-1]), dtype=dtype)
    for start in range(0, rows.shape[0], _CHUNK_ROWS):
        piece = dequantize(rows[start : start + _CHUNK_ROWS].numpy(), tensor.quant_type)  # type: ignore[attr-defined]
        made[start : start + _CHUNK_ROWS] = torch.from_numpy(piece)
    return made.reshape(shape)
