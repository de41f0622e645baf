"""Reads the tensors that a header lists, one at a time, so that a model is never in memory twice.

safetensors and GGUF are read into memory of each tensor's own. They are not mapped: a network made of mapped tensors
computes slower where the file is not aligned, its numbers differ in the last bit from those of aligned memory, and a
file that is changed later ends the process. torch's files are mapped while they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import DOWNLOAD_AGAIN, Header, TensorInfo, unreadable
from wan_engine.models.headers.torch_file import ROOT

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

_CHUNK_ROWS = 4096
"""Rows that are dequantised at once; of UMT5's word table, the largest tensor, that is 64 MB of float32."""

_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8",
    "BOOL": "bool",
}  # fmt: skip
"""torch's names of the plain number formats."""


def open_weights(header: Header) -> Tensors:
    """The tensors of a file by name, in their own number format; a quantised one of GGUF as diffusers' GGUFParameter.

    Raises ModelError when the file cannot be opened.
    """
    try:
        return _torch_weights(header) if header.format == "torch" else _Weights(header)
    except Exception as error:
        # The libraries raise whatever they stumble over in a damaged file; all of it means the same here.
        raise ModelError(f"{header.path} cannot be opened: {error}", DOWNLOAD_AGAIN) from error


def _torch_weights(header: Header) -> dict[str, torch.Tensor]:
    import torch

    content: Any = torch.load(header.path, map_location="cpu", weights_only=True, mmap=True)
    root = header.metadata.get(ROOT)
    entries = content[root] if root else content
    return {name: entries[name].detach() for name in header.tensors}


class _Weights(Mapping[str, "torch.Tensor"]):
    """The tensors of a safetensors or GGUF file, read when they are asked for, each time anew. Raises ModelError."""

    def __init__(self, header: Header) -> None:
        self._header = header

    def __iter__(self) -> Iterator[str]:
        return iter(self._header.tensors)

    def __len__(self) -> int:
        return len(self._header.tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._header.tensors

    def __getitem__(self, name: str) -> torch.Tensor:
        import torch

        info = self._header.tensors[name]
        data = self._read(info)
        if info.dtype in _DTYPES:
            return data.view(getattr(torch, _DTYPES[info.dtype])).reshape(info.shape)
        from diffusers.quantizers.gguf.utils import GGUFParameter
        from gguf import GGMLQuantizationType

        rows = data.reshape(*info.shape[:-1], -1)
        quantised: torch.Tensor = GGUFParameter(rows, quant_type=GGMLQuantizationType[info.dtype])
        return quantised

    def _read(self, info: TensorInfo) -> torch.Tensor:
        import torch

        path = self._header.files[info.file]
        data = torch.empty(info.size, dtype=torch.uint8)
        rest = data.numpy().data
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(info.start)
                while rest:
                    count = file.readinto(rest)
                    if not count:
                        raise ModelError(f"{path} became shorter while it was read", DOWNLOAD_AGAIN)
                    rest = rest[count:]
        except OSError as error:
            raise unreadable(path, error) from error
        return data


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
