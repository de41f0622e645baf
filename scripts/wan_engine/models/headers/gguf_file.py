"""Reads the header of a GGUF file: metadata, then the list of tensors.

Not with gguf's own reader: it makes an object of every word of a tokenizer and does not end on a file that claims 2^60
of them. The sizes of the quantised formats are the library's.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import (
    MAX_DIMENSIONS,
    MAX_HEADER_BYTES,
    MAX_METADATA_TEXT,
    MAX_TENSORS,
    Header,
    TensorInfo,
    check_overlap,
    checked_shape,
    cut_off,
    damaged,
    shown_name,
    unreadable,
)

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_SCALARS = {
    kind: struct.Struct("<" + letter)
    for kind, letter in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}
"""The numbers of the format's value types; 8 is a text, 9 a list."""
_ENTRIES = tuple(struct.Struct(f"<{count}QIQ") for count in range(MAX_DIMENSIONS + 1))
"""What follows a tensor's count of dimensions: the dimensions, its type, where its bytes begin."""
_TEXT, _LIST = 8, 9
_KEPT_NUMBERS = 8
_DEFAULT_ALIGNMENT = 32


class _Cursor:
    """Reads values one after the other; raises EOFError past the end or past what a header may take."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.limit = min(len(data), MAX_HEADER_BYTES)
        self.at = 0

    def skip(self, count: int) -> int:
        """Move on by `count` bytes; returns where they begin."""
        start = self.at
        if count > self.limit - start:
            raise EOFError
        self.at = start + count
        return start

    def numbers(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Numbers as `layout` has them."""
        return layout.unpack_from(self.data, self.skip(layout.size))

    def whole(self, layout: struct.Struct) -> int:
        """One whole number."""
        return int(self.numbers(layout)[0])

    def text(self, longest: int = 65_535) -> str:
        """One text; characters past `longest` are left out."""
        length = self.whole(_U64)
        start = self.skip(length)
        return self.data[start : start + min(length, longest)].decode("utf-8", errors="replace")

    def skip_texts(self, count: int) -> None:
        """Move on by `count` texts. A tokenizer has 256 000 of them."""
        data, at, last, length_at = self.data, self.at, self.limit - _U64.size, _U64.unpack_from
        for _ in range(count):
            if at > last:
                raise EOFError
            at += _U64.size + length_at(data, at)[0]
        self.at = at
        self.skip(0)


def read_gguf(path: Path) -> Header:
    """The header of a GGUF file whose tensors lie within it. Raises ModelError."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(path, data)
    except OSError as error:
        raise unreadable(path, error) from error
    except EOFError as error:
        size = path.stat().st_size
        message = "it does not end" if size > MAX_HEADER_BYTES else f"the file ends in it, after {size} bytes"
        raise damaged(path, message) from error


def _read(path: Path, data: mmap.mmap) -> Header:
    cursor = _Cursor(data)
    cursor.skip(len(MAGIC))
    version = cursor.whole(_U32)
    if version not in _VERSIONS:
        raise ModelError(f"{path} is GGUF version {version}, which is not supported", "Get a file of version 2 or 3")
    count, values = cursor.whole(_U64), cursor.whole(_U64)
    if max(count, values) > MAX_TENSORS:
        raise damaged(path, f"it claims {count} tensors and {values} values")
    metadata = _metadata(path, cursor, values)
    listed = [_tensor_entry(path, cursor) for _ in range(count)]
    alignment = metadata.get("general.alignment", str(_DEFAULT_ALIGNMENT))
    if not alignment.isascii() or not alignment.isdigit() or not 0 < int(alignment) <= 2**20:
        raise damaged(path, f"general.alignment is {alignment!r}")
    start = -(-cursor.at // int(alignment)) * int(alignment)
    size_of = _sizes(path)
    tensors: dict[str, TensorInfo] = {}
    for name, dtype, shape, offset in listed:
        if name in tensors:
            raise damaged(path, f"tensor {shown_name(name)} is there twice")
        tensors[name] = size_of(name, dtype, shape, start + offset)
    expected = max((info.start + info.size for info in tensors.values()), default=start)
    if len(data) < expected:
        raise cut_off(path, len(data), expected)
    check_overlap(path, tensors.items())
    return Header(path, "gguf", tensors, metadata, len(data), (path,))


def _metadata(path: Path, cursor: _Cursor, count: int) -> dict[str, str]:
    found = {}
    for _ in range(count):
        name = cursor.text()
        kind = cursor.whole(_U32)
        if kind == _TEXT:
            found[name] = cursor.text(MAX_METADATA_TEXT)
        elif kind == _LIST:
            numbers = _list(path, cursor)
            if numbers:
                found[name] = ",".join(str(number) for number in numbers)
        elif kind in _SCALARS:
            found[name] = str(cursor.numbers(_SCALARS[kind])[0])
        else:
            raise damaged(path, f"value {shown_name(name)} is of the unknown type {kind}")
    return found


def _list(path: Path, cursor: _Cursor) -> tuple[Any, ...]:
    """The numbers of a short list; a long one, or one of texts, is passed over."""
    kind, length = cursor.whole(_U32), cursor.whole(_U64)
    if kind == _TEXT:
        cursor.skip_texts(length)
        return ()
    if kind not in _SCALARS:
        raise damaged(path, f"a list is of the unknown type {kind}")
    if length > _KEPT_NUMBERS:
        cursor.skip(length * _SCALARS[kind].size)
        return ()
    return tuple(cursor.numbers(_SCALARS[kind])[0] for _ in range(length))


def _tensor_entry(path: Path, cursor: _Cursor) -> tuple[str, int, tuple[int, ...], int]:
    name = cursor.text()
    dimensions = cursor.whole(_U32)
    if dimensions > MAX_DIMENSIONS:
        raise damaged(path, f"tensor {shown_name(name)} has {dimensions} dimensions")
    *sizes, dtype, offset = cursor.numbers(_ENTRIES[dimensions])
    # GGUF names the fastest dimension first, torch last.
    return name, dtype, checked_shape(path, name, sizes[::-1]), offset


def _sizes(path: Path) -> Callable[[str, int, tuple[int, ...], int], TensorInfo]:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    known = {kind.value: (kind.name, *GGML_QUANT_SIZES[kind]) for kind in GGMLQuantizationType}

    def made(name: str, dtype: int, shape: tuple[int, ...], start: int) -> TensorInfo:
        if dtype not in known:
            raise damaged(path, f"tensor {shown_name(name)} is of the unknown type {dtype}")
        label, block, block_bytes = known[dtype]
        if (shape[-1] if shape else 1) % block:
            raise damaged(path, f"tensor {shown_name(name)} has rows that are no whole blocks of {label}")
        return TensorInfo(label, shape, prod(shape) // block * block_bytes, start)

    return made
