"""Keeps encoded prompts on disk, so that a text encoder is loaded only for texts that were never encoded before.

One safetensors file a text, named by a hash of all that decides its content; the text itself is nowhere in it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.errors import StorageError
from wan_engine.storage.atomic import write_bytes

if TYPE_CHECKING:
    import torch

MAX_BYTES = 1 << 30
"""Room for the files together; a usual prompt takes half a megabyte. The ones not used for longest go first."""
_NAME, _LENGTH = "embedding", "length"

log = logging.getLogger(__name__)


def prompt_key(encoder: str, tokenizer: str, text: str, length: int, dtype: str) -> str:
    """The name of a text's embedding. encoder, tokenizer: their fingerprints.  length: tokens it is padded to."""
    return hashlib.sha256(json.dumps([encoder, tokenizer, text, length, dtype]).encode()).hexdigest()


class PromptCache:
    """The embeddings in a folder, which is made when the first is written. Several processes may share it."""

    def __init__(self, folder: Path, limit: int = MAX_BYTES) -> None:
        self._folder = folder
        self._limit = limit

    def holds(self, key: str) -> bool:
        """Whether there is a file for the key; whether it can be read, only reading it tells."""
        return self._file(key).is_file()

    def read(self, key: str) -> torch.Tensor | None:
        """The embedding, shape (1, length, width), as it was written; None if it is not there or damaged."""
        from safetensors import SafetensorError, safe_open

        file = self._file(key)
        try:
            with safe_open(file, framework="pt") as content:
                rows: torch.Tensor = content.get_tensor(_NAME)
                length = int(content.metadata()[_LENGTH])
            padded = _padded(rows, length)
            os.utime(file)  # used now, so the last to go
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            log.warning("A cached prompt is encoded anew, %s cannot be read: %s", file.name, error)
            return None
        return padded

    def write(self, key: str, embedding: torch.Tensor) -> None:
        """Keep an embedding of shape (1, length, width). A disk that cannot hold it is logged, and nothing is kept."""
        from safetensors.torch import save

        rows = embedding.detach()[0].to("cpu")
        used = rows.ne(0).any(dim=1).nonzero()
        last = int(used[-1]) + 1 if len(used) else 0  # what follows is the padding, zeros
        data = save({_NAME: rows[:last].contiguous()}, metadata={_LENGTH: str(rows.shape[0])})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self._file(key), data)
            self._make_room()
        except (OSError, StorageError) as error:
            log.warning("An encoded prompt could not be kept: %s", error)

    def _make_room(self) -> None:
        files = []
        for file in self._folder.glob("*.safetensors"):
            try:
                about = file.stat()
            except FileNotFoundError:
                continue  # another process made room
            files.append((about.st_mtime_ns, about.st_size, file))
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files)[:-1]:
            if total <= self._limit:
                return
            file.unlink(missing_ok=True)
            total -= size

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"


def _padded(rows: torch.Tensor, length: int) -> torch.Tensor:
    """The embedding of which only the rows before the padding were kept. Raises ValueError if they are none."""
    if rows.dim() != 2 or rows.shape[0] > length or not bool(rows.isfinite().all()):
        raise ValueError(f"it holds a tensor of shape {tuple(rows.shape)} for {length} tokens, or no numbers")
    padded = rows.new_zeros((1, length, rows.shape[1]))
    padded[0, : rows.shape[0]] = rows
    return padded
