"""Tokenizers: of folders, of ComfyUI's files, of GGUF files, all giving the same numbers for a text."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import T5Tokenizer

from checkpoints import write_safetensors
from model_sets import WORDS, spiece
from wan_engine.errors import ModelError
from wan_engine.models.spiece import read_spiece
from wan_engine.models.tokenizer import load_tokenizer

TEXTS = ("a red square moves", "  a   circle é", "")
SCORED = [(word, -place / 10) for place, word in enumerate(WORDS)]


def numbers(tokenizer: object) -> list[list[int]]:
    return [tokenizer(text).input_ids for text in TEXTS]  # type: ignore[operator]


@pytest.fixture(scope="module")
def expected() -> list[list[int]]:
    return numbers(T5Tokenizer(vocab=SCORED, extra_ids=0))


def write_gguf_words(path: Path, words: list[str]) -> Path:
    writer = gguf.GGUFWriter(path, "t5encoder")
    writer.add_tokenizer_model("t5")
    writer.add_token_list(words)
    writer.add_token_scores([score for _, score in SCORED])
    writer.add_tensor("token_embd.weight", torch.ones(2, 2).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_every_place_gives_the_same_numbers(expected: list[list[int]], tmp_path: Path) -> None:
    T5Tokenizer(vocab=SCORED, extra_ids=0).save_pretrained(tmp_path / "folder")
    (tmp_path / "official").mkdir()
    (tmp_path / "official" / "spiece.model").write_bytes(spiece(WORDS))
    carried = {"spiece_model": torch.tensor(list(spiece(WORDS)), dtype=torch.uint8), "shared.weight": torch.ones(2)}
    places = (
        tmp_path / "folder",
        tmp_path / "official",
        write_safetensors(tmp_path / "comfy.safetensors", carried),
        write_gguf_words(tmp_path / "words.gguf", WORDS),
    )
    for place in places:
        assert numbers(load_tokenizer(place)) == expected, place
    assert expected[0] == [4, 5, 6, 7, 1]


def test_another_models_words_are_refused(tmp_path: Path) -> None:
    path = write_gguf_words(tmp_path / "words.gguf", ["<s>", *WORDS[1:]])
    with pytest.raises(ModelError, match="words of another model"):
        load_tokenizer(path)
    bare = write_safetensors(tmp_path / "bare.safetensors", {"shared.weight": torch.ones(2)})
    with pytest.raises(ModelError, match="carries no tokenizer"):
        load_tokenizer(bare)


def test_words_scores_and_table_are_read() -> None:
    found = read_spiece(spiece(WORDS, charsmap=b"\x00\x01" * 100))
    assert [word for word, _ in found.words] == WORDS
    assert [score for _, score in found.words] == pytest.approx([score for _, score in SCORED])
    assert found.charsmap == b"\x00\x01" * 100


@given(st.binary(max_size=200) | st.integers(0, len(spiece(WORDS)) - 1).map(lambda cut: spiece(WORDS)[:cut]))
def test_other_bytes_end_in_an_error_or_a_vocabulary(data: bytes) -> None:
    try:
        found = read_spiece(data)
    except ValueError:
        return
    assert found.words
