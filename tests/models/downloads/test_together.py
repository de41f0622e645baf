"""Several entries as one download: room for all first, one progress, one list for fetching by hand."""

from __future__ import annotations

import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from hub_server import HubServer, Repository
from wan_engine.errors import StorageError
from wan_engine.models.downloads.fetch import OfflineError
from wan_engine.models.downloads.presence import Places, presence
from wan_engine.models.downloads.progress import Progress
from wan_engine.models.downloads.table import find_entry
from wan_engine.models.downloads.together import download_all, prepare_all
from wan_engine.models.downloads.transfer import Patience

VAE, TOKENIZER, CLIP = (find_entry(name) for name in ("wan2.1-vae", "umt5-xxl-tokenizer", "clip-vit-h"))
ALL = (VAE, TOKENIZER, CLIP)


@pytest.fixture
def stocked(hub: HubServer) -> HubServer:
    hub.repositories[VAE.repository] = Repository({VAE.patterns[0]: bytes(300_000), CLIP.patterns[0]: bytes(200_000)})
    hub.repositories[TOKENIZER.repository] = Repository({"tokenizer/spiece.model": bytes(1000)})
    return hub


def test_progress_is_of_all_together(stocked: HubServer, tmp_path: Path) -> None:
    told: list[Progress] = []
    folders = download_all(prepare_all(ALL, tmp_path), told.append, lambda: False)
    assert folders == [Places(tmp_path, entry).folder for entry in ALL]
    assert all(presence(Places(tmp_path, entry)) == "there" for entry in ALL)
    assert {each.total for each in told} == {501_000}
    fetching = [each.done for each in told if each.doing == "downloading"]
    assert fetching == sorted(fetching)
    assert fetching[0] < 300_000 < 301_000 <= fetching[-1]


def test_the_disk_must_have_room_for_all(stocked: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 0, 500_400_000))
    prepare_all((VAE,), tmp_path)
    with pytest.raises(StorageError, match=r"500\.4 MB free, and 500\.5 MB are needed"):
        prepare_all(ALL, tmp_path)
    assert not stocked.bytes_of("")


def test_offline_names_the_files_of_all_that_are_not_here(
    stocked: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download_all(prepare_all((TOKENIZER,), tmp_path), lambda _: None, lambda: False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match="HF_HUB_OFFLINE") as caught:
        prepare_all((VAE, TOKENIZER, CLIP), tmp_path)
    assert [file.file for file in caught.value.files] == [VAE.patterns[0], CLIP.patterns[0]]
    assert str(caught.value).count("or fetch these files elsewhere") == 1


def test_a_hub_that_is_lost_on_the_way_names_what_is_behind(stocked: HubServer, tmp_path: Path) -> None:
    orders = prepare_all(ALL, tmp_path)
    stocked.faults.answers["spiece.model"] = [503] * 99
    with pytest.raises(OfflineError) as caught:
        download_all([replace(order, patience=Patience(1, 0.01)) for order in orders], lambda _: None, lambda: False)
    assert [file.file for file in caught.value.files] == ["tokenizer/spiece.model", CLIP.patterns[0]]
    assert presence(Places(tmp_path, VAE)) == "there"
