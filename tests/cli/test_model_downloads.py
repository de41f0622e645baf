"""`models download`: the table, the licence, one document for programs, and what an offline user is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.conftest import Run
from hub_server import HubServer, Repository
from wan_engine.models.downloads.table import TABLE, find_entry
from wan_engine.service.config import ServiceConfig, write_config

VAE, TOKENIZER = find_entry("wan2.1-vae"), find_entry("umt5-xxl-tokenizer")
T2V = find_entry("wan2.1-t2v-1.3b-bf16")


@pytest.fixture
def stocked(hub: HubServer) -> HubServer:
    hub.repositories[VAE.repository] = Repository({VAE.patterns[0]: b"v" * 5000, T2V.patterns[0]: b"t" * 7000})
    hub.repositories[TOKENIZER.repository] = Repository({"tokenizer/spiece.model": b"s", "model_index.json": b"{}"})
    return hub


def test_several_names_in_one_command(stocked: HubServer, call: Run, tmp_path: Path) -> None:
    done = call("models", "download", VAE.name, TOKENIZER.name, "--to", "models", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["models"]
    assert [each["name"] for each in told] == [VAE.name, TOKENIZER.name]
    assert [each["fetched"] for each in told] == [5000, 1]
    assert (tmp_path / "models" / "wan2.1-vae" / "wan_2.1_vae.safetensors").read_bytes() == b"v" * 5000
    assert (tmp_path / "models" / "tokenizer" / "spiece.model").read_bytes() == b"s"
    again = call("models", "download", VAE.name, "--to", "models", "--yes")
    assert "1 file, 0.0 MB, all here" in again.stderr
    assert len(stocked.bytes_of(".safetensors")) == 1


def test_what_is_told_on_the_way(stocked: HubServer, call: Run, tmp_path: Path) -> None:
    stocked.repositories[T2V.repository].licence = "mit"
    done = call("models", "download", T2V.name, "--to", "models", "--yes")
    lines = done.stderr.splitlines()
    assert lines[0] == f"{T2V.name}: {T2V.what}"
    assert lines[2] == f"  licence apache-2.0 (the hub says: mit), {stocked.address}/{T2V.repository}"
    assert any(re.match(r"Fetching split_files/.*: 0\.0 MB of 0\.0 MB", line) for line in lines)
    assert lines[-1] == "Films also need parts that are not here: umt5-xxl-fp8 wan2.1-vae"
    assert done.stdout == f"{T2V.name} is in {tmp_path / 'models' / T2V.name}\n"


def test_nothing_is_fetched_before_the_licence_is_accepted(stocked: HubServer, call: Run, tmp_path: Path) -> None:
    refused = call("models", "download", VAE.name, "--to", "models")
    assert refused.returncode == 2
    assert "the licence must be accepted first: apache-2.0" in refused.stderr
    assert not (tmp_path / "models").exists()
    assert not stocked.bytes_of(".safetensors")


def test_wrong_names_come_together(call: Run) -> None:
    wrong = call("models", "download", "wan2.1-vea", "wan9", "--yes")
    assert wrong.returncode == 2
    assert 'Did you mean "wan2.1-vae"?' in wrong.stderr
    assert '"wan9" is not in the table' in wrong.stderr
    assert call("models", "download").returncode == 2


def test_the_table(call: Run, stocked: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))
    call("models", "download", VAE.name, "--yes")
    listed = json.loads(call("models", "download", "--list", "--json").stdout)
    assert listed["folder"] == str(tmp_path / "home" / "models")
    states = {each["name"]: each["state"] for each in listed["models"]}
    assert set(states) == set(TABLE)
    assert {name for name, state in states.items() if state == "there"} == {VAE.name}
    text = call("models", "download", "--list").stdout
    assert all(name in text for name in TABLE)


def test_they_go_where_the_engine_looks_first(
    stocked: HubServer, call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAN_HOME", str(tmp_path / "home"))
    roots = (tmp_path / "webui" / "wan", tmp_path / "webui" / "VAE")
    write_config(ServiceConfig(home=tmp_path / "home", outputs=tmp_path / "films", model_roots=roots))
    assert call("models", "download", VAE.name, "--yes").returncode == 0
    assert (roots[0] / "wan2.1-vae" / "wan_2.1_vae.safetensors").is_file()


def test_offline_says_what_to_fetch_by_hand(call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    told = call("models", "download", VAE.name, "--to", "models", "--yes")
    assert told.returncode == 3
    assert "HF_HUB_OFFLINE forbids to ask the hub" in told.stderr
    assert f"{VAE.repository}: {VAE.patterns[0]}, 254.0 MB -> {tmp_path / 'models' / VAE.name}" in told.stderr
    document = json.loads(call("models", "download", VAE.name, "--to", "models", "--yes", "--json").stdout)
    assert document["files"][0]["repository"] == VAE.repository
    assert list(tmp_path.iterdir()) == []
