"""Where the tokenizer of a text encoder's single file is: in the file, or in a folder near it.

Every Wan model uses the tokenizer of google/umt5-xxl. The official releases have it in `google/umt5-xxl/`, diffusers'
folders in `tokenizer/`. ComfyUI's files carry the SentencePiece model as the tensor `spiece_model`, GGUF files the
words and their scores in the metadata.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import Header
from wan_engine.models.headers.read import read_header
from wan_engine.models.spiece import Vocabulary, read_spiece
from wan_engine.models.weights import open_weights

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


def tokenizer_places(chosen: Path, text_encoder: Path) -> list[Path]:
    """Where the tokenizer can come from: the place that was chosen, the text encoder's own file, a folder near it."""
    places = [chosen]
    if text_encoder.is_file() and carries_tokenizer(read_header(text_encoder)):
        places.append(text_encoder)
    near = find_tokenizer(text_encoder)
    return list(dict.fromkeys([*places, *([near] if near is not None else [])]))


def load_tokenizer(place: Path) -> Any:
    """The tokenizer of a folder, or the one that a text encoder's file carries. Raises ModelError if there is none."""
    if not place.is_dir():
        return _made(place, _carried(place))
    if (place / "tokenizer.json").is_file():
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(place, trust_remote_code=False, local_files_only=True)
    return _made(place, read_spiece((place / "spiece.model").read_bytes()))


def _carried(file: Path) -> Vocabulary:
    header = read_header(file)
    if SPIECE in header.tensors:
        return read_spiece(open_weights(header)[SPIECE].numpy().tobytes())
    if header.metadata.get(GGUF_KIND) == "t5":
        return _of_gguf(file)
    raise ModelError(f"{file} carries no tokenizer", f"Put one beside it: {WHERE_FROM}")


def _of_gguf(file: Path) -> Vocabulary:
    """The words in the metadata of a GGUF file, whose header was read before and found to be in order."""
    from gguf import GGUFReader

    fields = GGUFReader(file).fields
    words, scores = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.scores"]
    texts = [words.parts[part].tobytes().decode("utf-8", errors="replace") for part in words.data]
    numbers = [float(scores.parts[part][0]) for part in scores.data]
    charsmap = fields.get("tokenizer.ggml.precompiled_charsmap")
    table = bytes(int(charsmap.parts[part][0]) for part in charsmap.data) if charsmap is not None else b""
    return Vocabulary(list(zip(texts, numbers, strict=True)), table)


def _made(place: Path, vocabulary: Vocabulary) -> Any:
    """T5's tokenizer with these words, as google/umt5-xxl has it."""
    from transformers import T5Tokenizer

    special = [word for word, _ in vocabulary.words[:3]]
    if special != ["<pad>", "</s>", "<unk>"]:
        raise ModelError(f"{place} holds the words of another model, not of UMT5", f"Put one beside it: {WHERE_FROM}")
    # UMT5's extra words, <extra_id_0> and so on, stand in no prompt.
    return T5Tokenizer(vocab=vocabulary.words, _spm_precompiled_charsmap=vocabulary.charsmap or None, extra_ids=0)
