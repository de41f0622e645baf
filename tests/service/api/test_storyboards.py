"""Storyboards over HTTP: split and read at once; planned, drawn and rendered by a worker; nothing paid in public."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api_samples import ROOT
from llm_server import Reply, llm_server
from picture_server import picture_server
from service_samples import wait_until
from story_samples import ANSWER, TEXT
from wan_engine.home import RESTRICTED_HEADER
from wan_engine.schedule.project import load_project
from wan_engine.service.config import ServiceConfig
from wan_engine.service.records import NewJob
from wan_engine.service.store import JobStore
from wan_engine.service.worker import Wishes, Worker

FILM = {"fps": 16, "seed": 3, "encoder": "software", "preset": "ultrafast", "steps": "2", "device": "cpu"}
QUICK = {"steps": 2, "seed": 5}
DRAWABLE = "opening: x\nsegments: [{prompt: x, seconds: 2, last: x}]\n"


def work(client: TestClient, config: ServiceConfig, job_id: str) -> dict[str, Any]:
    Worker(config, "cpu", True, Wishes()).run()
    job: dict[str, Any] = client.get(f"{ROOT}/jobs/{job_id}").json()
    return job


def test_a_text_is_split_at_once(client: TestClient) -> None:
    answer = client.post(f"{ROOT}/storyboards/split", json={"text": TEXT, "seconds": 4})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["seconds"] == 4
    assert [each["prompt"] for each in told["segments"]] == ["A red circle moves right", "A blue square moves down"]
    assert told["missing"] == [0, 1, 2]
    # What was told reads back to itself, as values and as a file.
    for body in ({"storyboard": told["storyboard"]}, {"project": told["project"], "name": "a.yaml"}):
        again = client.post(f"{ROOT}/storyboards/read", json=body).json()
        assert again["storyboard"] == told["storyboard"]
    plan = client.post(f"{ROOT}/plans", json={"project": told["project"], "name": "a.yaml"}).json()
    assert any("no picture yet" in note for note in plan["notes"])


def test_what_is_wrong_is_told_with_its_place(client: TestClient, tmp_path: Path) -> None:
    story = {"segments": [{"prompt": "x", "seconds": 2, "lst": "y"}], "pictures": {"provider": "nobody"}}
    answer = client.post(f"{ROOT}/storyboards/read", json={"storyboard": story})
    assert answer.status_code == 422
    found = {(each["field"], each["key"]) for each in answer.json()["problems"]}
    assert found == {("segments.lst", "1"), ("pictures.provider", "")}
    outside = {"segments": [{"prompt": "x", "seconds": 2, "last": {"image": str(tmp_path / "a.png")}}]}
    wrong: list[tuple[int, str, dict[str, Any]]] = [
        (422, "storyboards/split", {"text": "..."}),
        (422, "storyboards/split", {"text": "A fox.", "film": {"widht": 5}}),
        (422, "storyboards", {"text": "A fox.", "planner": "llm"}),
        (422, "storyboards", {"text": "A fox.", "film": {"fps": 0}}),
        (403, "storyboards", {"text": "A fox.", "film": {"output_dir": str(tmp_path / "elsewhere")}}),
        (403, "keyframes", {"storyboard": outside}),
        (422, "keyframes", {"storyboard": {"segments": [{"prompt": "x", "seconds": 2}]}}),
        (403, "keyframes", {"project": DRAWABLE, "file": "/etc/passwd"}),
        (422, "keyframes", {"project": f"{DRAWABLE}pictures: {{provider: files}}\n"}),
        (422, "keyframes", {"project": "0: a fox", "name": "a.txt"}),
        (422, "storyboards", {"text": "A fox.", "upto": "pictures", "pictures": {"provider": "openai"}}),
    ]
    for status, route, body in wrong:
        answer = client.post(f"{ROOT}/{route}", json=body)
        assert answer.status_code == status, (route, body, answer.text)
    assert client.get(f"{ROOT}/jobs").json()["jobs"] == []


@pytest.mark.slow
def test_a_text_becomes_a_film(client: TestClient, config: ServiceConfig) -> None:
    body = {"text": TEXT, "seconds": 1, "upto": "film", "film": FILM, "pictures": QUICK}
    answer = client.post(f"{ROOT}/storyboards", json=body)
    assert answer.status_code == 202, answer.text
    job = work(client, config, answer.json()["id"])
    assert (job["kind"], job["state"]) == ("storyboard", "done"), job["error"]
    story = load_project(Path(job["result"]["file"])).storyboard
    assert story is not None
    assert story.missing() == ()
    assert Path(job["result"]["film"]).is_relative_to(config.outputs)
    events = client.get(f"{ROOT}/jobs/{job['id']}/events").json()
    kinds = [event["kind"] for event in events]
    assert kinds.index("storyboard") < kinds.index("keyframe_done") < kinds.index("clip_done")
    told = next(event for event in events if event["kind"] == "storyboard")
    assert len(told["data"]["storyboard"]["segments"]) == 2
    picture = job["result"]["storyboard"]["opening"]["image"]
    assert client.get(f"{ROOT}/files", params={"path": picture}).headers["content-type"] == "image/png"
    kinds_of_files = {each["kind"] for each in client.get(f"{ROOT}/jobs/{job['id']}/files").json()}
    assert "film" in kinds_of_files


def test_pictures_are_made_redone_and_kept(client: TestClient, config: ServiceConfig) -> None:
    told = client.post(f"{ROOT}/storyboards/split", json={"text": TEXT, "film": FILM, "pictures": QUICK}).json()
    answer = client.post(f"{ROOT}/keyframes", json={"storyboard": told["storyboard"]})
    first = work(client, config, answer.json()["id"])
    assert (first["kind"], first["state"], first["device"]) == ("keyframes", "done", "cpu"), first["error"]
    story = first["result"]["storyboard"]
    story["opening"]["locked"] = True
    body = {"storyboard": story, "redo": [1], "file": first["result"]["file"]}
    again = work(client, config, client.post(f"{ROOT}/keyframes", json=body).json()["id"])
    made = again["result"]["storyboard"]
    assert again["result"]["file"] == first["result"]["file"]
    assert made["opening"] == story["opening"]
    assert made["segments"][0]["last"]["image"] != story["segments"][0]["last"]["image"]
    assert made["segments"][1] == story["segments"][1]
    refused = client.post(f"{ROOT}/keyframes", json={**body, "redo": [0, 7]})
    assert refused.status_code == 422
    assert [each["key"] for each in refused.json()["problems"]] == ["0", "7"]
    # With every picture there, the storyboard's project is an ordinary film.
    project = client.post(f"{ROOT}/storyboards/read", json={"storyboard": made}).json()["project"]
    queued = client.post(f"{ROOT}/renders", json={"project": project, "name": "a.yaml"}).json()["jobs"][0]
    assert queued["kind"] == "render"
    lacking = told["project"]
    queued = client.post(f"{ROOT}/renders", json={"project": lacking, "name": "a.yaml"}).json()["jobs"][0]
    assert queued["kind"] == "storyboard"


def test_the_webui_is_asked_while_no_film_has_its_memory(
    client: TestClient, config: ServiceConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = JobStore(config.database)
    film.add(NewJob({"prompts": {"0": "a fox"}}, device="cuda:0"))
    taken = film.claim("other", "cuda:0", 1000)
    assert taken is not None
    film.ask_memory(taken.id, "other")
    with picture_server() as server:
        said = {"api": {"url": server.address, "on": True, "guarded": False}}
        assert client.post(f"{ROOT}/hosts/webui-1", json=said).status_code == 200
        body = {"project": f"{DRAWABLE}pictures: {{provider: webui, seed: 1}}\n"}
        job_id = client.post(f"{ROOT}/keyframes", json=body).json()["id"]
        working = threading.Thread(target=work, args=(client, config, job_id))
        working.start()
        wait_until(lambda: client.get(f"{ROOT}/jobs/{job_id}").json()["progress"]["kind"] == "keyframe")
        time.sleep(5 * config.timing.poll)
        assert server.asked == []
        film.finish(taken.id, "other", "done")
        working.join()
        assert [each["path"] for each in server.asked] == ["/sdapi/v1/txt2img"] * 2
    assert client.get(f"{ROOT}/jobs/{job_id}").json()["state"] == "done"
    film.close()


def test_the_services_planner_streams_into_events(
    client: TestClient, config: ServiceConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with llm_server(Reply(json.dumps(ANSWER))) as server:
        monkeypatch.setenv("WAN_PLANNER_URL", server.address)
        monkeypatch.setenv("WAN_PLANNER_MODEL", "small")
        monkeypatch.setenv("WAN_PLANNER_KEY", "sk-very-secret")
        offers = client.get(f"{ROOT}/services").json()
        assert {each["name"]: each["ready"] for each in offers}["llm"] is True
        estimate = client.post(f"{ROOT}/storyboards/estimate", json={"text": TEXT, "planner": "llm"}).json()
        assert estimate["tokens_in"] > 0
        assert estimate["dollars"] is None
        assert server.requests == []
        public = {RESTRICTED_HEADER: "others can reach it"}
        for route, body in (
            ("storyboards", {"text": TEXT, "planner": "llm"}),
            ("storyboards/enhance", {"prompt": "a fox"}),
        ):
            assert client.post(f"{ROOT}/{route}", json=body, headers=public).status_code == 403
        assert client.post(f"{ROOT}/storyboards", json={"text": TEXT}, headers=public).status_code == 202
        assert server.requests == []
        answer = client.post(f"{ROOT}/storyboards", json={"text": TEXT, "planner": "llm"})
        job = work(client, config, answer.json()["id"])
    assert job["state"] == "done", job["error"]
    assert job["result"]["storyboard"]["style"] == ANSWER["style"]
    assert job["result"]["usage"]["tokens_in"] == 100
    assert server.requests[0]["authorization"] == "Bearer sk-very-secret"
    seen = json.dumps([job, offers, client.get(f"{ROOT}/jobs/{job['id']}/events").json()])
    seen += client.get(f"{ROOT}/jobs/{job['id']}/log").text
    assert "sk-very-secret" not in seen


def test_a_prompt_is_enhanced(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.post(f"{ROOT}/storyboards/enhance", json={"prompt": "a fox"}).status_code == 422
    with llm_server(Reply(json.dumps({"prompt": "a red fox in deep snow"})), Reply("no", status=401)) as server:
        monkeypatch.setenv("WAN_PLANNER_URL", server.address)
        monkeypatch.setenv("WAN_PLANNER_MODEL", "small")
        answer = client.post(f"{ROOT}/storyboards/enhance", json={"prompt": "a fox"})
        assert answer.json() == {"prompt": "a red fox in deep snow"}
        answer = client.post(f"{ROOT}/storyboards/enhance", json={"prompt": "a fox"})
        assert (answer.status_code, answer.json()["detail"]) == (502, "the planner's service refuses the key")
