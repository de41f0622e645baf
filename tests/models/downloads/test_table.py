"""The table of downloads: names that work as folders, patterns that mean files, and needs that are names of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wan_engine.errors import InputError
from wan_engine.models.downloads.table import FOLDER, SETS, TABLE, Entry, find_entries, find_entry
from wan_engine.storage.places import size_words


@pytest.mark.parametrize("entry", TABLE.values(), ids=lambda entry: entry.name)
def test_an_entry_is_whole(entry: Entry) -> None:
    assert TABLE[entry.name] is entry
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,62}", entry.name)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry.repository)
    assert all((entry.licence, entry.what, entry.parts, entry.size))
    assert set(entry.needs) <= set(TABLE)
    assert entry.flat or not entry.needs, "a folder is whole by itself"


def test_no_two_go_to_one_place() -> None:
    assert len({entry.place for entry in TABLE.values()}) == len(TABLE)


def test_what_outpainting_needs_comes_by_one_name() -> None:
    for quant, name in (("q6_k", "outpaint"), ("q5_k", "outpaint-q5_k"), ("q4_k", "outpaint-q4_k")):
        entries = find_entries(name)
        assert entries[0].name == f"wan2.1-vace-14b-fusionx-gguf-{quant}"
        assert f"-{quant.upper()}" in entries[0].patterns[0]
        assert [entry.name for entry in entries[1:]] == ["umt5-xxl-gguf-q8_0", "wan2.1-vae", "blip2", "flux-fill-vae"]
    assert [entry.name for entry in find_entries("outpaint-diffusers")] == ["wan2.1-vace-14b", "blip2", "flux-fill-vae"]


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_whole(name: str) -> None:
    names = {entry.name for entry in find_entries(name)}
    assert all(set(TABLE[each].needs) <= names for each in names)
    assert name not in TABLE


def test_a_folder_comes_without_what_must_be_unpickled() -> None:
    entry = find_entry("wan2.1-t2v-1.3b")
    assert entry.patterns == FOLDER
    kept = ("model_index.json", "vae/config.json", "transformer/a-00001-of-00002.safetensors", "tokenizer/spiece.model")
    left = ("README.md", "assets/a.png", "text_encoder/pytorch_model.bin", ".gitattributes", "config.pth")
    assert [file for file in (*kept, *left) if entry.wants(file)] == list(kept)
    assert entry.target("vae/config.json").as_posix() == "vae/config.json"


def test_single_files_lose_the_folders_of_their_repository() -> None:
    entry = find_entry("wan2.2-i2v-a14b-gguf-q4_k")
    assert [entry.target(file).as_posix() for file in entry.patterns] == [
        "Wan2.2-I2V-A14B-HighNoise-Q4_K_M.gguf",
        "Wan2.2-I2V-A14B-LowNoise-Q4_K_M.gguf",
    ]


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        find_entry("Wan2.1-VEA")
    (problem,) = caught.value.problems
    assert 'Did you mean "wan2.1-vae"?' in problem.remedy


def test_the_page_tells_the_table() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "downloads.md").read_text(encoding="utf-8")
    told = re.findall(
        r"^\| `(\S+)` \| (.*?) \| (.*?) \| (\S+).*? \| \[(.*?)\]\(.*?\) \| (.*?) ?\|$", page, re.MULTILINE
    )
    assert told == [
        (
            entry.name,
            entry.what,
            size_words(entry.size),
            entry.licence,
            entry.repository,
            ", ".join(f"`{name}`" for name in entry.needs),
        )
        for entry in TABLE.values()
    ]
    commands = re.findall(r"^wan-engine models download (.*)$", page, re.MULTILINE)
    assert {name for names in commands for name in names.split()} <= {*TABLE, *SETS}
    sets = dict(re.findall(r"^\| `(outpaint\S*)` \| (.*?) \|$", page, re.MULTILINE))
    assert sets == {name: ", ".join(f"`{each}`" for each in entries) for name, entries in SETS.items()}
