"""Reads the header of a torch file (.pth, .pt): the list of its zip and the pickle in it, which is not run."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import (
    BITS,
    DOWNLOAD_AGAIN,
    Header,
    TensorInfo,
    Unread,
    checked_shape,
    damaged,
    plain_size,
    shown_name,
    unreadable,
)
from wan_engine.models.headers.pickled import NotPlainError, Pickled, follow

MAGIC = b"PK\x03\x04"
OLD_MAGICS = (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", b"\x80\x02", b"\x80\x04", b"\x80\x03", b"\x80\x05")
"""First bytes of what torch wrote before 1.6, and of bare pickles."""
ROOT = "root"
"""Key of the metadata that names the entry under which the tensors lie, when it is not the file itself."""
SAFETENSORS_PLEASE = "Get this model as safetensors"

_MAX_LIST_BYTES = 8 * 1024 * 1024
"""The longest list of entries that is read of a zip; the largest model's takes 100 kB."""
_ROOTS = ("state_dict", "model_state_dict", "model", "module")
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "bool": "BOOL",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip


class _Bounded:
    """A file of which little is read at once, so that a zip cannot claim a list of 100 GB."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, count: int = -1) -> bytes:
        """As a file's; raises zipfile.BadZipFile for too much at once."""
        data = self._file.read(_MAX_LIST_BYTES + 1 if count < 0 else min(count, _MAX_LIST_BYTES + 1))
        if len(data) > _MAX_LIST_BYTES:
            raise zipfile.BadZipFile("its list is too long")
        return data


def open_torch(path: Path) -> Unread:
    """The file with its list of entries. Raises ModelError."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file, zipfile.ZipFile(_Bounded(file)) as archive:
            sizes, pickle = _contents(path, archive)
    except OSError as error:
        raise unreadable(path, error) from error
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path} is cut off or a damaged torch file: {error}", DOWNLOAD_AGAIN) from error
    digest = hashlib.sha256(json.dumps(sizes, sort_keys=True).encode() + pickle)
    return Unread(partial(_read, path, sizes, pickle, size), digest.digest(), {}, size)


def _read(path: Path, sizes: dict[str, int], pickle: bytes, size: int) -> Header:
    """The header of a torch file that holds tensors and nothing else. Raises ModelError."""
    root, entries = _tensors(path, pickle)
    tensors = {name: _tensor(path, name, tensor, sizes) for name, tensor in entries.items()}
    return Header(path, "torch", tensors, {ROOT: root} if root else {}, size, (path,))


def refuse_old(path: Path) -> ModelError:
    """The error for a bare pickle, whose tensors cannot be listed without running it."""
    return ModelError(f"{path} is a pickle of an old kind, which is not read", SAFETENSORS_PLEASE)


def _contents(path: Path, archive: zipfile.ZipFile) -> tuple[dict[str, int], bytes]:
    """Bytes of each storage by key, and the pickle."""
    entries = archive.infolist()
    pickles = [entry for entry in entries if entry.filename.count("/") == 1 and entry.filename.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ModelError(f"{path} is a zip file, but not one of torch", SAFETENSORS_PLEASE)
    prefix = pickles[0].filename.removesuffix("data.pkl") + "data/"
    packed = next((entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED), None)
    if packed is not None:
        raise ModelError(f"{path} is packed ({packed}); torch writes its files unpacked", SAFETENSORS_PLEASE)
    # Nothing is packed, so the pickle is no longer than what the file holds of it.
    if pickles[0].file_size > _MAX_LIST_BYTES:
        raise damaged(path, f"its pickle has {pickles[0].file_size} bytes")
    stored = (entry for entry in entries if entry.filename.startswith(prefix))
    sizes = {entry.filename.removeprefix(prefix): entry.file_size for entry in stored}
    return sizes, archive.read(pickles[0])


def _tensors(path: Path, pickle: bytes) -> tuple[str, dict[str, Pickled]]:
    """Where the tensors lie in the pickle, and the tensors."""
    try:
        content = follow(pickle)
    except NotPlainError as error:
        message = f"{path} holds more than tensors ({str(error)[:200]}), which is never run"
        raise ModelError(message, SAFETENSORS_PLEASE) from error
    except (ValueError, IndexError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise damaged(path, f"its pickle is broken ({error})") from error
    for root in ("", *_ROOTS):
        entries = content if not root else content.get(root) if isinstance(content, dict) else None
        found = _named(entries)
        if found:
            return root, found
    raise ModelError(f"{path} holds no named tensors", "Give a file of weights")


def _named(entries: Any) -> dict[str, Pickled]:
    if not isinstance(entries, dict):
        return {}
    return {name: value for name, value in entries.items() if isinstance(value, Pickled)}


def _tensor(path: Path, name: str, tensor: Pickled, sizes: dict[str, int]) -> TensorInfo:
    dtype = _DTYPES.get(tensor.dtype, "")
    shape = checked_shape(path, name, tensor.shape)
    size = plain_size(path, name, dtype or tensor.dtype, shape)
    there = sizes.get(tensor.storage.key)
    last = tensor.offset + sum((count - 1) * step for count, step in zip(shape, tensor.stride, strict=True))
    if there is None or (size and (last + 1) * BITS[dtype] > 8 * there):
        raise damaged(path, f"tensor {shown_name(name)} lies outside its storage")
    return TensorInfo(dtype, shape, size)
