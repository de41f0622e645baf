"""Where the tokenizer of a text encoder's single file is: in the file, or in a folder near it.

Every Wan model uses the tokenizer of google/umt5-xxl. The official releases have it in `google/umt5-xxl/`, diffusers'
folders in `tokenizer/`. ComfyUI's files carry the SentencePiece model as the tensor `spiece_model`, GGUF files the
words and their scores in the metadata.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wan_engine.models.headers.header import Header

SPIECE = "spiece_model"
"""Name of the tensor that is a SentencePiece model, byte for byte."""
GGUF_KIND = "tokenizer.ggml.model"
"""Key of the metadata that names the kind of tokenizer in a GGUF file: `t5` for SentencePiece with scores."""
WHERE_FROM = "the folder google/umt5-xxl of an official release, or tokenizer of a diffusers folder, beside the file"

_FOLDERS = ("tokenizer", "google/umt5-xxl", "umt5-xxl")
_VOCABULARIES = ("tokenizer.json", "spiece.model")
_LEVELS_UP = 2


def carries_tokenizer(header: Header) -> bool:
    """Whether the file itself holds the tokenizer."""
    return SPIECE in header.tensors or header.metadata.get(GGUF_KIND) == "t5"


def find_tokenizer(file: Path) -> Path | None:
    """The nearest tokenizer's folder: beside the file, or beside one of the two folders above it."""
    for level in [file.parent, *file.parent.parents][: _LEVELS_UP + 1]:
        for folder in (level / name for name in _FOLDERS):
            if (folder / "tokenizer_config.json").is_file() and any(
                (folder / each).is_file() for each in _VOCABULARIES
            ):
                return folder
    return None


def load_tokenizer(place: Path) -> Any:
    """The tokenizer of a folder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(place, trust_remote_code=False, local_files_only=True)
