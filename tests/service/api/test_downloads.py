"""The routes of the downloads, with a hub on loopback: begin, follow, cancel, go on, refuse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api_samples import ROOT
from engine_process import running_engine
from hub_server import HubServer, Repository
from service_samples import wait_until
from wan_engine.models.downloads.table import SETS, TABLE, find_entries, find_entry
from wan_engine.service.api.context import Context
from wan_engine.service.api.download_schemas import DownloadOut
from wan_engine.service.config import ServiceConfig

VAE, OTHER = find_entry("wan2.1-vae"), find_entry("wan2.1-t2v-1.3b-bf16")
CONTENT = bytes(range(256)) * 2000
ASKED = {"name": VAE.name, "accept_licence": True}


@pytest.fixture
def stocked(hub: HubServer) -> HubServer:
    hub.repositories[VAE.repository] = Repository({VAE.patterns[0]: CONTENT, OTHER.patterns[0]: CONTENT})
    return hub


@pytest.fixture(autouse=True)
def stopped_at_the_end(context: Context) -> Iterator[None]:
    yield
    context.downloads.stop()


def state(client: TestClient, name: str = VAE.name) -> dict[str, Any]:
    values: dict[str, Any] = client.get(f"{ROOT}/downloads/{name}").json()
    return DownloadOut.model_validate(values).model_dump()


def until(client: TestClient, *states: str) -> dict[str, Any]:
    found: dict[str, Any] = wait_until(lambda: (told := state(client))["state"] in states and told)
    return found


def test_the_table_is_listed_with_what_is_here(client: TestClient, config: ServiceConfig) -> None:
    listed = client.get(f"{ROOT}/downloads").json()
    assert [each["name"] for each in listed] == [*TABLE, *SETS]
    assert {each["state"] for each in listed} == {"absent"}
    vae = next(each for each in listed if each["name"] == VAE.name)
    assert vae["folder"] == str(config.model_roots[0] / VAE.name)
    assert vae["page"] == f"https://huggingface.co/{VAE.repository}"


def test_a_download_is_begun_followed_and_done(
    client: TestClient, stocked: HubServer, config: ServiceConfig, context: Context
) -> None:
    stocked.faults.hold[VAE.patterns[0]] = 100_000
    begun = client.post(f"{ROOT}/downloads", json=ASKED)
    assert (begun.status_code, begun.json()["state"]) == (202, "running")
    going = wait_until(lambda: (told := state(client))["progress"]["doing"] == "downloading" and told)
    assert going["progress"]["total"] == len(CONTENT)
    assert going["progress"]["file"] == VAE.patterns[0]
    assert client.post(f"{ROOT}/downloads", json=ASKED).status_code == 202, "again is no second one"
    other = client.post(f"{ROOT}/downloads", json={**ASKED, "name": OTHER.name})
    assert (other.status_code, other.json()["detail"]) == (409, f"{VAE.name} is being downloaded")
    assert context.life.idle_seconds() == 0, "the engine does not end meanwhile"
    stocked.faults.released.set()
    assert until(client, "there")["progress"] is None
    assert (config.model_roots[0] / VAE.name / "wan_2.1_vae.safetensors").read_bytes() == CONTENT


def test_a_cancelled_one_goes_on_when_asked_again(client: TestClient, stocked: HubServer) -> None:
    stocked.faults.hold[VAE.patterns[0]] = 100_000
    client.post(f"{ROOT}/downloads", json=ASKED)
    wait_until(lambda: stocked.bytes_of(VAE.patterns[0]))
    assert client.delete(f"{ROOT}/downloads/{VAE.name}").status_code == 202
    stocked.faults.released.set()
    assert until(client, "cancelled")["error"] is None
    assert client.delete(f"{ROOT}/downloads/{VAE.name}").status_code == 409
    client.post(f"{ROOT}/downloads", json=ASKED)
    until(client, "there")


def test_nothing_begins_without_the_licence(client: TestClient, stocked: HubServer) -> None:
    for body in ({"name": VAE.name}, {**ASKED, "accept_licence": False}):
        refused = client.post(f"{ROOT}/downloads", json=body)
        assert refused.status_code == 422
        assert refused.json()["problems"][0]["field"] == "accept_licence"
        assert f"{stocked.address}/{VAE.repository}" in refused.json()["problems"][0]["remedy"]
    assert not stocked.asked
    assert state(client)["state"] == "absent"


def test_unknown_names_are_not_found(client: TestClient) -> None:
    wrong = client.post(f"{ROOT}/downloads", json={**ASKED, "name": "wan2.1-vea"})
    assert wrong.status_code == 404
    assert 'Did you mean "wan2.1-vae"?' in wrong.json()["remedy"]
    assert client.get(f"{ROOT}/downloads/nothing").status_code == 404
    assert client.delete(f"{ROOT}/downloads/nothing").status_code == 404


def test_offline_tells_the_files_to_fetch_by_hand(
    client: TestClient, config: ServiceConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    client.post(f"{ROOT}/downloads", json=ASKED)
    error = until(client, "failed")["error"]
    assert "HF_HUB_OFFLINE" in error["message"]
    assert [(file["file"], file["folder"]) for file in error["files"]] == [
        (VAE.patterns[0], str(config.model_roots[0] / VAE.name))
    ]


@pytest.fixture
def whole_set(hub: HubServer) -> HubServer:
    """A hub with all that the set `outpaint` stands for."""
    for entry in find_entries("outpaint"):
        files = {pattern.replace("*", "one"): CONTENT[:4096] for pattern in entry.patterns}
        hub.repositories[entry.repository] = Repository(files, entry.licence)
    return hub


def test_a_set_is_one_download(client: TestClient, whole_set: HubServer, config: ServiceConfig) -> None:
    items = find_entries("outpaint")
    listed = state(client, "outpaint")
    assert listed["items"] == [entry.name for entry in items]
    assert listed["size"] == sum(entry.size for entry in items)
    assert listed["licence"] == "apache-2.0, mit, flux-1-dev-non-commercial-license"
    refused = client.post(f"{ROOT}/downloads", json={"name": "outpaint"}).json()["problems"][0]
    assert all(entry.repository in refused["remedy"] for entry in items)
    whole_set.faults.hold[VAE.patterns[0]] = 1000
    assert client.post(f"{ROOT}/downloads", json={**ASKED, "name": "outpaint"}).status_code == 202
    wait_until(lambda: whole_set.bytes_of(VAE.patterns[0]))
    assert state(client, items[0].name)["state"] == "there", "what is whole can be used at once"
    assert client.post(f"{ROOT}/downloads", json=ASKED).status_code == 409
    assert client.delete(f"{ROOT}/downloads/outpaint").status_code == 202
    whole_set.faults.released.set()
    stopped = wait_until(lambda: (told := state(client, "outpaint"))["state"] == "cancelled" and told)
    assert stopped["progress"]["total"] == 4096 * sum(len(entry.patterns) for entry in items)
    client.post(f"{ROOT}/downloads", json={**ASKED, "name": "outpaint"})
    wait_until(lambda: state(client, "outpaint")["state"] == "there")
    assert {state(client, entry.name)["state"] for entry in items} == {"there"}
    assert len(whole_set.bytes_of(items[0].patterns[0])) == 1, "what was here is not fetched again"


def test_an_engine_that_ends_stops_its_download(context: Context, stocked: HubServer, config: ServiceConfig) -> None:
    stocked.faults.hold[VAE.patterns[0]] = 100_000
    context.downloads.start(VAE.name, (VAE,), config.model_roots[0], context.life)
    wait_until(lambda: stocked.bytes_of(VAE.patterns[0]))
    stopping = threading.Thread(target=context.downloads.stop)
    stopping.start()
    wait_until(context.downloads._cancel.is_set)
    stocked.faults.released.set()
    stopping.join()
    now = context.downloads.state(VAE.name)
    assert now is not None
    assert now.state == "cancelled"


@pytest.mark.slow
def test_a_killed_engine_goes_on_at_the_next_start(
    stocked: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    stocked.faults.hold[VAE.patterns[0]] = 300_000
    flags = ("--models", str(tmp_path / "weights"))
    with running_engine(tmp_path / "home2", *flags) as engine:
        assert engine.http.post("/downloads", json=ASKED).status_code == 202
        parts = (tmp_path / "weights" / ".wan-downloads").rglob
        wait_until(lambda: any(part.stat().st_size >= 250_000 for part in parts("*.part")))
        engine.process.kill()
        engine.process.wait(30)
    stocked.faults.released.set()
    with running_engine(tmp_path / "home2", *flags) as engine:
        assert engine.http.get(f"/downloads/{VAE.name}").json()["state"] == "part"
        engine.http.post("/downloads", json=ASKED)
        wait_until(lambda: engine.http.get(f"/downloads/{VAE.name}").json()["state"] == "there")
    assert stocked.bytes_of(VAE.patterns[0])[-1].start >= 250_000
