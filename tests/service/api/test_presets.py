"""Presets over HTTP: kept, checked, listed, forgotten; their names stay plain."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from api_samples import ROOT
from wan_engine.service.config import ServiceConfig

PRESETS = f"{ROOT}/presets"


def test_a_preset_is_kept_changed_and_forgotten(client: TestClient, config: ServiceConfig) -> None:
    assert client.get(PRESETS).json() == {"presets": []}
    assert client.put(f"{PRESETS}/My slow_1.0", json={"steps": "30", "crf": 14}).status_code == 204
    assert client.put(f"{PRESETS}/b", json={}).status_code == 204
    assert client.get(PRESETS).json() == {"presets": ["My slow_1.0", "b"]}
    assert client.get(f"{PRESETS}/My slow_1.0").json() == {"steps": "30", "crf": 14}
    client.put(f"{PRESETS}/b", json={"crf": 20})
    assert client.get(f"{PRESETS}/b").json() == {"crf": 20}
    assert client.delete(f"{PRESETS}/b").status_code == 204
    assert client.delete(f"{PRESETS}/b").status_code == 404
    assert client.get(f"{PRESETS}/b").status_code == 404
    assert [path.name for path in (config.home / "presets").iterdir()] == ["My slow_1.0.json"]


def test_wrong_settings_are_not_kept(client: TestClient) -> None:
    answer = client.put(f"{PRESETS}/a", json={"crf": 99, "nope": 1, "steps": "0:(1/0)"})
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["problems"]} == {"crf", "nope", "steps"}
    assert client.get(PRESETS).json() == {"presets": []}


@pytest.mark.parametrize("name", [".hidden", "..", "a%2fb", "a%5cb", "x" * 65, "a%00", "é", "a%0ab", "%20"])
def test_names_stay_plain(client: TestClient, name: str, config: ServiceConfig) -> None:
    answer = client.put(f"{PRESETS}/{name}", json={})
    assert answer.status_code in (404, 405, 422) or name == "%20"
    assert {path.parent for path in config.home.rglob("*.json")} <= {config.home, config.home / "presets"}


def test_a_damaged_preset_is_told(client: TestClient, config: ServiceConfig) -> None:
    (config.home / "presets").mkdir()
    (config.home / "presets" / "a.json").write_text("{")
    (config.home / "presets" / "b.json").write_text(json.dumps([1]))
    for name in "ab":
        answer = client.get(f"{PRESETS}/{name}")
        assert (answer.status_code, answer.json()["problems"][0]["remedy"]) == (422, "Save it again")
