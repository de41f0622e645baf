"""What a weight file's header says, the same for every file format, and the words for a damaged one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Literal, NamedTuple

from wan_engine.errors import ModelError

Format = Literal["safetensors", "gguf", "torch"]

DOWNLOAD_AGAIN = "Download this file again"
MAX_HEADER_BYTES = 32 * 1024 * 1024
"""The largest header that is read. A model's takes less than 10 MB, the tokenizer in a GGUF text encoder included."""
MAX_TENSORS = 200_000
MAX_DIMENSIONS = 8
MAX_METADATA_TEXT = 4096
"""Characters that are kept of one value of the metadata."""

_POINTER = b"version https://git-lfs"

BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
"""Bits of one number, by its format's name in safetensors. Quantised formats of GGUF go by blocks and are not here."""


class TensorInfo(NamedTuple):
    """One tensor of a file. A tuple, for a large model has more than a thousand and a disk may have a thousand models.

    dtype: as safetensors names it (F32, BF16, F8_E4M3), or GGUF's name of a quantised one (Q4_K).
    shape: as torch has it, the last dimension changes fastest in the file.
    start: where its bytes begin, counted from the file's first byte; 0 in a torch file, whose tensors share storages.
    file: number of its file in `Header.files`.
    """

    dtype: str
    shape: tuple[int, ...]
    size: int
    start: int = 0
    file: int = 0


@dataclass(frozen=True)
class Header:
    """A weight file, or the shards that an index names, without the weights.

    path: what was given.  files: where the tensors lie.  size: bytes of all files.
    metadata: texts the writer added; long ones are cut, lists of more than eight numbers left out.
    """

    path: Path
    format: Format
    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    size: int
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Unread:
    """A weight file whose list of tensors is not read yet.

    read: reads it; raises ModelError.  key: equal for files whose tensors have the same names, shapes, formats and
    places, which were made alike; empty where reading is the only way to know.  metadata, size: as of a `Header`, but
    empty and 0 without a key.
    """

    read: Callable[[], Header]
    key: bytes = b""
    metadata: dict[str, str] = field(default_factory=dict)
    size: int = 0


def damaged(path: Path, why: str) -> ModelError:
    """The error for a header that contradicts itself."""
    return ModelError(f"{path} has a damaged header: {why}", DOWNLOAD_AGAIN)


def unreadable(path: Path, error: OSError) -> ModelError:
    """The error for a file the system does not let us read."""
    return ModelError(f"{path} cannot be read: {error.strerror or error}", "Check the file's permissions")


def cut_off(path: Path, size: int, expected: int) -> ModelError:
    """The error for a file shorter than its header says."""
    return ModelError(f"{path} is cut off: {size} of {expected} bytes are there", DOWNLOAD_AGAIN)


def check_pointer(path: Path, first: bytes) -> None:
    """Raises ModelError when a file's first bytes are those of a Git LFS pointer."""
    if first.startswith(_POINTER):
        raise ModelError(f"{path} is a Git LFS pointer, not the weights", "Fetch it with: git lfs pull")


def checked_shape(path: Path, name: str, value: object) -> tuple[int, ...]:
    """A shape of the header as a tuple of whole numbers. Raises ModelError when it is none."""
    if isinstance(value, list | tuple) and len(value) <= MAX_DIMENSIONS:
        for size in value:
            if type(size) is not int or not 0 <= size < 2**48:
                break
        else:
            return tuple(value)
    raise damaged(path, f"tensor {shown_name(name)} has no valid shape")


def plain_size(path: Path, name: str, dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor of plain numbers. Raises ModelError for an unknown number format."""
    if dtype not in BITS:
        raise damaged(path, f"tensor {shown_name(name)} has the unknown number format {dtype[:40]!r}")
    return (prod(shape) * BITS[dtype] + 7) // 8


def shown_name(name: str) -> str:
    """A tensor's name for a message: quoted, and short."""
    return repr(name if len(name) <= 120 else name[:119] + "…")


def check_overlap(path: Path, tensors: Iterable[tuple[str, TensorInfo]]) -> None:
    """Raises ModelError when two tensors claim the same bytes."""
    entries = [(info.start, info.size, name) for name, info in tensors if info.size]
    entries.sort()
    end, before = 0, ""
    for start, size, name in entries:
        if start < end:
            raise damaged(path, f"tensors {shown_name(before)} and {shown_name(name)} overlap")
        end, before = start + size, name
