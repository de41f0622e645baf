"""Downloads from a hub on loopback: whole and checked, gone on with after every kind of break, refused in words."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from hub_server import COMMIT, HubServer, Repository
from service_samples import wait_until
from wan_engine.errors import Cancelled, ModelError, StorageError
from wan_engine.models.downloads.fetch import OfflineError, download, prepare
from wan_engine.models.downloads.presence import NOTE, Places, presence
from wan_engine.models.downloads.progress import Progress
from wan_engine.models.downloads.table import find_entry
from wan_engine.models.downloads.transfer import Patience

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
VAE = find_entry("wan2.1-vae")
VAE_FILE = VAE.patterns[0]
CONTENT = random.Random(1).randbytes(300_000)
T2V = find_entry("wan2.1-t2v-1.3b")
T2V_FILES = {
    "README.md": b"not wanted",
    "model_index.json": b'{"_class_name": "WanPipeline"}',
    "transformer/config.json": b"{}",
    "transformer/weights-00001-of-00002.safetensors": random.Random(2).randbytes(90_000),
    "transformer/weights-00002-of-00002.safetensors": random.Random(3).randbytes(50_000),
    "vae/config.json": b"",
}
QUICK = Patience(tries=3, wait=0.01)


@pytest.fixture
def vae(hub: HubServer) -> HubServer:
    """A hub with the repository of one small entry."""
    hub.repositories[VAE.repository] = Repository({VAE_FILE: CONTENT, "split_files/other.safetensors": b"no"})
    return hub


def fetch(root: Path, name: str = VAE.name) -> list[Progress]:
    told: list[Progress] = []
    download(prepare(find_entry(name), root, patience=QUICK), told.append, lambda: False)
    return told


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_file_arrives_whole_and_is_noted(vae: HubServer, tmp_path: Path) -> None:
    told = fetch(tmp_path)
    assert (tmp_path / "wan2.1-vae" / "wan_2.1_vae.safetensors").read_bytes() == CONTENT
    assert files_below(tmp_path) == {"wan2.1-vae/wan_2.1_vae.safetensors", f"wan2.1-vae/{NOTE}"}
    assert presence(Places(tmp_path, VAE)) == "there"
    note = json.loads((tmp_path / "wan2.1-vae" / NOTE).read_text(encoding="utf-8"))
    assert (note["commit"], note["licence"], note["repository"]) == (COMMIT, "apache-2.0", VAE.repository)
    assert told[-1].doing == "checking"
    assert told[-1].done == told[-1].total == len(CONTENT)


def test_a_folder_keeps_its_layout_and_only_what_is_wanted(hub: HubServer, tmp_path: Path) -> None:
    hub.repositories[T2V.repository] = Repository(T2V_FILES)
    fetch(tmp_path, T2V.name)
    wanted = {f"{T2V.name}/{name}" for name in T2V_FILES if name != "README.md"}
    assert files_below(tmp_path) == {*wanted, f"{T2V.name}/{NOTE}"}
    for name, content in T2V_FILES.items():
        assert name == "README.md" or (tmp_path / T2V.name / name).read_bytes() == content


def test_files_of_the_same_content_all_arrive(hub: HubServer, tmp_path: Path) -> None:
    """The two experts of Wan 2.2 have the same config."""
    twins = dict.fromkeys(("transformer/config.json", "transformer_2/config.json"), b'{"dim": 5120}')
    large = dict.fromkeys(("transformer/a.safetensors", "transformer_2/a.safetensors"), CONTENT)
    hub.repositories[T2V.repository] = Repository({**twins, **large, "model_index.json": b"{}"})
    fetch(tmp_path, T2V.name)
    assert all((tmp_path / T2V.name / name).read_bytes() == each for name, each in {**twins, **large}.items())
    assert presence(Places(tmp_path, T2V)) == "there"


def test_the_token_goes_to_the_hub_alone(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = find_entry("flux-fill-vae")
    hub.repositories[entry.repository] = Repository({"vae/model.safetensors": CONTENT}, gated=True)
    monkeypatch.setenv("HF_TOKEN", "hf_accepted")
    with caplog.at_level(logging.DEBUG):
        fetch(tmp_path, entry.name)
    assert {asked.authorization for asked in hub.asked if "/cdn/" not in asked.path} == {"Bearer hf_accepted"}
    assert {asked.authorization for asked in hub.asked if "/cdn/" in asked.path} == {""}
    assert "hf_accepted" not in caplog.text
    assert all(b"hf_accepted" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("token", ["", "hf_refused"])
def test_a_gated_repository_is_said_in_a_sentence(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    entry = find_entry("flux-fill-vae")
    hub.repositories[entry.repository] = Repository({"vae/model.safetensors": CONTENT}, gated=True)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ModelError, match="only to those who have accepted its licence") as caught:
        fetch(tmp_path / "models", entry.name)
    assert f"{hub.address}/{entry.repository}" in caught.value.remedy
    assert not hub.bytes_of(".safetensors")


def test_a_cut_connection_is_gone_on_with_by_range(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.cuts[VAE_FILE] = [100_000, 50_000]
    fetch(tmp_path)
    assert [asked.start for asked in vae.bytes_of(VAE_FILE)] == [0, 100_000, 150_000]
    assert (tmp_path / VAE.place / "wan_2.1_vae.safetensors").read_bytes() == CONTENT


def test_a_hub_without_ranges_is_borne(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.cuts[VAE_FILE] = [100_000]
    vae.faults.ranges = False
    fetch(tmp_path)
    assert (tmp_path / VAE.place / "wan_2.1_vae.safetensors").read_bytes() == CONTENT


def test_a_busy_hub_is_asked_again(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.answers = {"/revision/main": [503, 429], VAE_FILE: [503, 500]}
    fetch(tmp_path)
    assert presence(Places(tmp_path, VAE)) == "there"


def test_a_hub_that_stays_busy_gives_the_list_and_keeps_what_came(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.cuts[VAE_FILE] = [120_000]
    order = prepare(VAE, tmp_path, patience=QUICK)
    # Not the first answer, which is cut, but all after it.
    vae.faults.answers = {}
    with pytest.raises(OfflineError) as caught:
        download(order, lambda told: _busy_after(vae, told, 100_000), lambda: False)
    (file,) = caught.value.files
    assert (file.repository, file.file, file.size) == (VAE.repository, VAE_FILE, len(CONTENT))
    assert file.folder == str(tmp_path / VAE.place)
    vae.faults.answers = {}
    assert presence(Places(tmp_path, VAE)) == "part"
    fetch(tmp_path)
    assert vae.bytes_of(VAE_FILE)[-1].start == 120_000


def _busy_after(hub: HubServer, told: Progress, size: int) -> None:
    if told.done >= size or told.done == 0:
        hub.faults.answers = {f"/resolve/{COMMIT}/{VAE_FILE}": [503] * 50}


def test_a_damaged_file_is_fetched_once_more(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.spoilt[VAE_FILE] = 1
    fetch(tmp_path)
    assert len(vae.bytes_of(VAE_FILE)) == 2
    assert (tmp_path / VAE.place / "wan_2.1_vae.safetensors").read_bytes() == CONTENT


def test_a_file_damaged_twice_is_refused_and_not_kept(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.spoilt[VAE_FILE] = 2
    with pytest.raises(ModelError, match="came damaged twice"):
        fetch(tmp_path)
    assert not [path for path in files_below(tmp_path) if not path.endswith(".lock")]


def test_a_damaged_small_file_is_noticed(hub: HubServer, tmp_path: Path) -> None:
    hub.repositories[T2V.repository] = Repository(T2V_FILES)
    hub.faults.spoilt["model_index.json"] = 1
    fetch(tmp_path, T2V.name)
    assert (tmp_path / T2V.name / "model_index.json").read_bytes() == T2V_FILES["model_index.json"]


def test_what_is_there_is_not_fetched_again(vae: HubServer, tmp_path: Path) -> None:
    fetch(tmp_path)
    fetch(tmp_path)
    assert len(vae.bytes_of(VAE_FILE)) == 1


def test_files_put_there_by_hand_are_checked_and_taken(vae: HubServer, tmp_path: Path) -> None:
    place = tmp_path / VAE.place / "wan_2.1_vae.safetensors"
    place.parent.mkdir()
    place.write_bytes(CONTENT)
    assert presence(Places(tmp_path, VAE)) == "part"
    fetch(tmp_path)
    assert presence(Places(tmp_path, VAE)) == "there"
    assert not vae.bytes_of(VAE_FILE)


def test_a_file_of_the_right_size_and_wrong_bytes_is_fetched_again(vae: HubServer, tmp_path: Path) -> None:
    fetch(tmp_path)
    place = tmp_path / VAE.place / "wan_2.1_vae.safetensors"
    place.write_bytes(bytes(len(CONTENT)))
    os.utime(place, ns=(1, 1))
    assert presence(Places(tmp_path, VAE)) == "part"
    fetch(tmp_path)
    assert place.read_bytes() == CONTENT


def test_too_little_disk_is_said_before_anything_is_fetched(
    vae: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 0, 400_000_000))
    with pytest.raises(StorageError, match=r"400\.0 MB free, and 500\.3 MB are needed"):
        fetch(tmp_path)
    assert not vae.bytes_of(VAE_FILE)
    assert not files_below(tmp_path)


def test_a_missing_repository_or_file_is_said(hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not give out Comfy-Org"):
        fetch(tmp_path)
    hub.repositories[VAE.repository] = Repository({"split_files/other.safetensors": b"no"})
    with pytest.raises(ModelError, match=r"has no file split_files/vae/wan_2.1_vae.safetensors any more"):
        fetch(tmp_path)


def test_a_file_that_is_gone_when_it_is_fetched_is_said(vae: HubServer, tmp_path: Path) -> None:
    vae.faults.answers[VAE_FILE] = [404]
    with pytest.raises(ModelError, match="has no such file or repository"):
        fetch(tmp_path)


def test_names_that_lead_out_of_the_folder_are_refused(hub: HubServer, tmp_path: Path) -> None:
    hub.repositories[T2V.repository] = Repository({"../../evil/config.json": b"{}"})
    with pytest.raises(ModelError, match="lead out of its folder"):
        fetch(tmp_path / "models", T2V.name)


def test_no_hub_gives_the_files_to_fetch_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(OfflineError) as caught:
        fetch(tmp_path)
    assert "cannot be reached" in caught.value.message
    assert f"{VAE.repository}: {VAE_FILE}, 254.0 MB -> {tmp_path / VAE.place}" in str(caught.value)


def test_the_wish_to_be_offline_is_honoured(vae: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match="HF_HUB_OFFLINE"):
        fetch(tmp_path)
    assert not vae.asked
    with pytest.raises(OfflineError) as caught:
        prepare(find_entry("blip2"), tmp_path)
    assert {(file.file, file.size) for file in caught.value.files} == {
        ("*.json", 0), ("*.safetensors", 0), ("*.model", 0),
    }, "of a pattern no file's size is known"  # fmt: skip


def test_a_page_that_is_no_hub_is_said(hub: HubServer, tmp_path: Path) -> None:
    hub.faults.answers["/revision/main"] = [200]
    with pytest.raises(ModelError, match="does not answer as the hub does"):
        fetch(tmp_path)


def test_a_stopped_download_goes_on_later(vae: HubServer, tmp_path: Path) -> None:
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        download(prepare(VAE, tmp_path, patience=QUICK), told.append, lambda: bool(told))
    assert presence(Places(tmp_path, VAE)) == "part"
    fetch(tmp_path)
    assert vae.bytes_of(VAE_FILE)[-1].start > 0
    assert presence(Places(tmp_path, VAE)) == "there"


def test_two_downloads_of_one_entry_do_not_mix(vae: HubServer, tmp_path: Path) -> None:
    first, second = prepare(VAE, tmp_path, patience=QUICK), prepare(VAE, tmp_path, patience=QUICK)
    refused: list[str] = []

    def tell(_progress: Progress) -> None:
        if not refused:
            with pytest.raises(StorageError) as caught:
                download(second, lambda _: None, lambda: False)
            refused.append(caught.value.message)

    download(first, tell, lambda: False)
    assert "worked on by another process" in refused[0]


def test_a_killed_download_goes_on_where_it_was(vae: HubServer, tmp_path: Path) -> None:
    """kill -9 in the middle: nothing half is where models are looked for, and the next start asks for the rest."""
    vae.faults.hold[VAE_FILE] = 200_000
    code = (
        "from pathlib import Path; from wan_engine.models.downloads.fetch import *;"
        "from wan_engine.models.downloads.table import find_entry;"
        f"download(prepare(find_entry({VAE.name!r}), Path({str(tmp_path)!r})), lambda _: None, lambda: False)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SCRIPTS)})
    try:
        part = wait_until(lambda: next(iter((tmp_path / ".wan-downloads").rglob("*.part")), None))
        wait_until(lambda: part.stat().st_size >= 190_000)
    finally:
        process.kill()
        process.wait(30)
    had = part.stat().st_size
    assert not (tmp_path / VAE.place).exists()
    assert presence(Places(tmp_path, VAE)) == "part"
    vae.faults.released.set()
    fetch(tmp_path)
    assert [asked.start for asked in vae.bytes_of(VAE_FILE)] == [0, had]
    assert (tmp_path / VAE.place / "wan_2.1_vae.safetensors").read_bytes() == CONTENT
