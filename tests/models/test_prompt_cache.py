"""Embeddings come back as they were; a damaged file is encoded anew; the oldest make room."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
import torch

from wan_engine.models.memory.prompt_cache import PromptCache, prompt_key


def embedding(tokens: int = 5, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    made = torch.zeros((1, 16, 8), dtype=dtype)
    made[0, :tokens] = torch.randn((tokens, 8), generator=torch.Generator().manual_seed(tokens)).to(dtype)
    return made


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("tokens", [0, 5, 16])
def test_what_was_written_is_read(tmp_path: Path, tokens: int, dtype: torch.dtype) -> None:
    cache = PromptCache(tmp_path / "prompts")
    assert cache.read("key") is None
    cache.write("key", embedding(tokens, dtype))
    read = cache.read("key")
    assert read is not None
    assert read.dtype == dtype
    assert torch.equal(read, embedding(tokens, dtype))
    assert cache.holds("key")


def test_everything_that_decides_the_embedding_is_in_the_name_and_the_text_is_not() -> None:
    usual = ("encoder", "tokenizer", "a secret place", 512, "bfloat16")
    key = prompt_key(*usual)
    assert "secret" not in key
    others = [("other", *usual[1:]), (usual[0], "other", *usual[2:]), (*usual[:2], "a", *usual[3:])]
    others += [(*usual[:3], 256, usual[4]), (*usual[:4], "float32")]
    assert len({key, *(prompt_key(*other) for other in others)}) == 6


def test_damaged_files_are_as_if_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = PromptCache(tmp_path)
    cache.write("cut", embedding())
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-3])
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    cache.write("numbers", embedding() * float("nan"))
    with caplog.at_level(logging.WARNING):
        assert [cache.read(key) for key in ("cut", "other", "numbers")] == [None, None, None]
    assert caplog.text.count("encoded anew") == 3


def test_those_not_used_for_longest_make_room(tmp_path: Path) -> None:
    size = 0
    for age, key in enumerate(("old", "middle", "new")):
        cache = PromptCache(tmp_path)
        cache.write(key, embedding())
        file = tmp_path / f"{key}.safetensors"
        size = file.stat().st_size
        os.utime(file, (1000 + age, 1000 + age))
    small = PromptCache(tmp_path, limit=3 * size)
    assert small.read("old") is not None  # used now
    small.write("last", embedding())
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["last", "new", "old"]


def test_a_disk_that_takes_nothing_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("no folder")
    PromptCache(tmp_path / "file").write("key", embedding())
    assert "could not be kept" in caplog.text
