"""What the engine tells of itself: settings, models, devices; WebUIs' signs of life; answers have their forms."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from api_samples import FOX, ROOT
from wan_engine import __version__
from wan_engine.families import FAMILIES
from wan_engine.service.api import schemas
from wan_engine.service.api.context import Context
from wan_engine.service.config import ServiceConfig
from wan_engine.settings import SETTINGS
from wan_engine.tiny import WEIGHTS


def test_the_engine_tells_of_itself(client: TestClient, config: ServiceConfig) -> None:
    values = client.get(f"{ROOT}/system").json()
    assert (values["version"], values["pid"]) == (__version__, os.getpid())
    assert values["roots"] == [str(root) for root in config.roots().folders]
    assert values["jobs"]["queued"] == 0
    assert values["free_bytes"] > 0


def test_the_table_of_settings(client: TestClient) -> None:
    values = client.get(f"{ROOT}/settings").json()
    assert [each["name"] for each in values["settings"]] == list(SETTINGS)
    assert [each["name"] for each in values["families"]] == list(FAMILIES)
    assert values["settings"][0]["help"] == SETTINGS["prompts"].help


def test_models_are_listed_with_what_is_wrong(client: TestClient, config: ServiceConfig) -> None:
    root = config.model_roots[0]
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "tiny").symlink_to(WEIGHTS)
    (root / "broken").mkdir()
    (root / "broken" / "model_index.json").write_text("{}")
    (root / "a" / "b" / "wan.safetensors").write_bytes(b"no weights")
    embedded, *found = client.get(f"{ROOT}/models").json()
    assert (embedded["path"], embedded["embedded"], embedded["error"]) == ("", True, "")
    assert embedded["modes"][:3] == ["t2v", "i2v", "flf2v"]
    broken = {each["name"]: each for each in found if each["error"]}
    assert sorted(broken) == ["broken", "wan"]
    assert "names no transformer" in broken["broken"]["error"]
    assert (broken["wan"]["kind"], broken["wan"]["modes"]) == ("other", [])
    assert "wan.safetensors is no safetensors" in broken["wan"]["error"]
    (tiny,) = [each for each in found if each["name"] == "t2v"]
    assert (tiny["kind"], tiny["precision"], tiny["missing"]) == ("model", "bf16", [])


def test_a_webui_says_that_it_lives(client: TestClient, context: Context) -> None:
    assert client.post(f"{ROOT}/hosts/webui-1", json={}).json() == {"asked": [], "working": False}
    job_id = client.post(f"{ROOT}/renders", json={"settings": FOX}).json()["jobs"][0]["id"]
    context.store.claim("worker", "cpu", 60)
    context.store.ask_memory(job_id, "worker")
    assert client.post(f"{ROOT}/hosts/webui-1", json={}).json() == {"asked": [job_id], "working": True}
    assert context.hosts.waiting(job_id) == ("webui-1",)
    client.post(f"{ROOT}/hosts/webui-1", json={"freed": [job_id]})
    assert context.hosts.waiting(job_id) == ()
    assert client.post(f"{ROOT}/hosts/a.b", json={}).status_code == 422


def test_the_end_is_asked_for(client: TestClient, context: Context) -> None:
    assert client.post(f"{ROOT}/system/stop").status_code == 202
    assert context.life.stopping


def test_a_database_that_cannot_be_used_is_507(client: TestClient, config: ServiceConfig, context: Context) -> None:
    context.store.close()
    for path in config.home.glob("jobs.sqlite3*"):
        path.unlink()
    config.database.mkdir()
    answer = client.get(f"{ROOT}/jobs")
    assert (answer.status_code, answer.json()["error"]) == (507, "StorageError")


FORMS: dict[str, Any] = {
    "/system": schemas.SystemOut,
    "/settings": schemas.SettingsOut,
    "/models": list[schemas.ModelOut],
    "/jobs": schemas.JobsOut,
    "/jobs/{id}": schemas.JobOut,
    "/jobs/{id}/events": list[schemas.EventOut],
    "/jobs/{id}/files": list[schemas.FileOut],
}


def test_answers_have_the_forms_that_are_described(client: TestClient, film: dict[str, Any]) -> None:
    """The answers are not passed through the forms, so that they are quick; here they are held against them."""
    for path, form in FORMS.items():
        values = client.get(ROOT + path.format(id=film["id"])).json()
        assert TypeAdapter(form).dump_python(TypeAdapter(form).validate_python(values, extra="forbid")) == values, path


def test_an_unexpected_error_is_told_without_its_inside(
    client: TestClient, context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(type(context.store), "counts", broken)
    monkeypatch.setattr("wan_engine.service.api.problems.logger", logging.getLogger("a test's"))
    answer = client.get(f"{ROOT}/jobs")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert "secret inside" in caplog.text
    assert Path(__file__).name not in answer.text


def test_a_webuis_sign_of_life_keeps_no_engine_running(client: TestClient, context: Context) -> None:
    """It comes as long as the engine runs, so it would keep it for ever."""
    client.get(f"{ROOT}/jobs")
    before = context.life.idle_seconds()
    client.post(f"{ROOT}/hosts/webui-1", json={})
    assert context.life.idle_seconds() > before
    idle = context.life.idle_seconds()
    client.get(f"{ROOT}/jobs")
    assert context.life.idle_seconds() < idle
