"""The tiny model with random weights: small, quick, whole or not there, and honest about being noise."""

from __future__ import annotations

from pathlib import Path

import pytest

from untrained import Untrained, write_untrained
from wan_engine.models.folder import find_models, open_folder


def test_a_bundle_for_all_modes_that_says_it_is_noise(tmp_path: Path) -> None:
    write_untrained(tmp_path / "tiny")
    cards = {card.name: card for card in find_models(tmp_path / "tiny")}
    assert {name: sorted(card.modes) for name, card in cards.items()} == {
        "tiny/t2v": ["t2v"],
        "tiny/i2v": ["flf2v", "i2v"],
    }
    assert all(card.noise and card.family.name == "wan-tiny" for card in cards.values())
    size = sum(file.stat().st_size for file in (tmp_path / "tiny").rglob("*") if file.is_file())
    assert size < 4_000_000


@pytest.mark.parametrize(
    ("what", "modes"),
    [
        (Untrained(image_encoder=True), {"t2v", "i2v"}),
        (Untrained(first_last=True), {"t2v", "flf2v"}),
        (Untrained(two_experts=True), {"t2v", "i2v", "flf2v"}),
        (Untrained(ti2v=True), {"t2v", "i2v"}),
    ],
)
def test_variants(what: Untrained, modes: set[str], tmp_path: Path) -> None:
    write_untrained(tmp_path / "tiny", what)
    assert {mode for card in find_models(tmp_path / "tiny") for mode in card.modes} == modes


def test_the_seed_alone_decides_and_other_random_numbers_go_on(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(99)
    expected = torch.rand(3)
    torch.manual_seed(99)
    hashes = []
    for number, seed in enumerate((0, 0, 1)):
        write_untrained(tmp_path / str(number), Untrained(seed=seed))
        hashes.append(open_folder(tmp_path / str(number) / "t2v").fingerprint())
    assert torch.equal(torch.rand(3), expected)
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    "text", ["a red circle", "", "速い 🎬 \x07 <pad> </s> \udcff".encode("utf-8", "replace").decode()]
)
def test_the_tokenizer_takes_any_text(text: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    write_untrained(tmp_path / "tiny")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny" / "tokenizer", local_files_only=True)
    tokens = tokenizer(text, padding="max_length", max_length=64, truncation=True, return_tensors="pt")
    length = int(tokens.attention_mask.sum())
    assert tokens.input_ids.shape == (1, 64)
    assert tokens.input_ids[0, length - 1] == tokenizer.eos_token_id
    assert (tokens.input_ids[0, length:] == tokenizer.pad_token_id).all()
    assert tokenizer.unk_token_id not in tokens.input_ids
    long = tokenizer("word " * 200, max_length=64, truncation=True).input_ids
    assert len(long) == 64
    assert long[-1] == tokenizer.eos_token_id
