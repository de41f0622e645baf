"""Reads the header of any weight file, and of the shards that an index names. What a file is, its first bytes say."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.models.files import shards
from wan_engine.models.headers import gguf_file, torch_file
from wan_engine.models.headers.gguf_file import read_gguf
from wan_engine.models.headers.header import (
    DOWNLOAD_AGAIN,
    Header,
    Unread,
    check_pointer,
    damaged,
    shown_name,
    unreadable,
)
from wan_engine.models.headers.safetensors_file import open_safetensors, read_safetensors
from wan_engine.models.headers.torch_file import refuse_old

WEIGHT_ENDINGS = (".safetensors", ".gguf", ".pth", ".pt", ".bin", ".ckpt")
"""Endings of files that may hold weights."""
INDEX_ENDING = ".index.json"


def read_header(path: Path) -> Header:
    """What a weight file says of itself. Raises ModelError, in one sentence, when it cannot be used.

    Takes milliseconds for a file of any size: only the header is read.
    """
    return open_header(path).read()


def open_header(path: Path) -> Unread:
    """The file before its tensors are read. What it is, its first bytes say. Raises ModelError."""
    if path.name.endswith(INDEX_ENDING):
        return Unread(partial(read_shards, path))
    try:
        if not path.is_file():
            remedy = "Check the path of the file"
            raise ModelError(f"{path} is no file" if path.exists() else f"{path} does not exist", remedy)
        with path.open("rb") as file:
            first = file.read(64)
    except OSError as error:
        raise unreadable(path, error) from error
    check_pointer(path, first)
    if not first:
        raise ModelError(f"{path} is empty", DOWNLOAD_AGAIN)
    if first.startswith(gguf_file.MAGIC):
        return Unread(partial(read_gguf, path))
    if first.startswith(torch_file.MAGIC):
        return torch_file.open_torch(path)
    if first.startswith(torch_file.OLD_MAGICS):
        raise refuse_old(path)
    # safetensors has no magic: its first byte after the length opens the JSON.
    if first[8:9] == b"{":
        return open_safetensors(path)
    kinds = "safetensors, GGUF or torch file"
    raise ModelError(f"{path} is no {kinds}", f"Give the weights as {kinds}; a download may have saved an error page")


def read_shards(index: Path) -> Header:
    """The header of all shards of an index (`….safetensors.index.json`) together. Raises ModelError."""
    files = shards(index)
    headers = [read_safetensors(file) for file in files]
    tensors = {}
    for number, header in enumerate(headers):
        for name, info in header.tensors.items():
            if name in tensors:
                raise damaged(header.path, f"tensor {shown_name(name)} is in another shard too")
            tensors[name] = info._replace(file=number)
    metadata = {key: text for header in headers for key, text in header.metadata.items()}
    return Header(index, "safetensors", tensors, metadata, sum(header.size for header in headers), files)
