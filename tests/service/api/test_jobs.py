"""The queue over HTTP: films are checked before they are queued, jobs are listed, moved, stopped and forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api_samples import FOX, ROOT
from wan_engine.service.api.context import Context
from wan_engine.service.config import ServiceConfig
from wan_engine.service.orders import Order
from wan_engine.settings import Settings, settings_to_mapping

JOBS = f"{ROOT}/jobs"


def render(client: TestClient, **body: Any) -> dict[str, Any]:
    """Queue one film; gives its job."""
    answer = client.post(f"{ROOT}/renders", json={"settings": FOX, **body})
    assert answer.status_code == 202, answer.text
    (job,) = answer.json()["jobs"]
    return job  # type: ignore[no-any-return]


def test_a_film_is_queued_with_definite_settings(client: TestClient, config: ServiceConfig) -> None:
    answer = client.post(f"{ROOT}/renders", json={"settings": {**FOX, "seed": -1, "device": "CUDA"}, "priority": 3})
    assert answer.status_code == 202
    job = client.get(answer.headers["location"]).json()
    assert (job["state"], job["priority"], job["title"], job["device"]) == ("queued", 3, "a red fox", "cuda:0")
    assert job["settings"].keys() == settings_to_mapping(Settings()).keys()
    assert job["settings"]["seed"] >= 0
    assert job["settings"]["output_dir"] == str(config.outputs)


def test_a_title_has_the_words_of_the_first_prompt_alone() -> None:
    prompts = {"0": "<lora:ink:0.8> a red\n fox --neg blur", "12": "a dog"}
    assert Order(Settings(prompts=prompts)).title() == "a red fox"
    assert Order(Settings(prompts={"0": "--neg blur"})).title() == ""


def test_a_project_is_queued_under_its_name(client: TestClient) -> None:
    answer = client.post(
        f"{ROOT}/renders",
        json={"project": "kind: schedule\nbackend: dry_run\nprompts: {0: a}\n", "name": "my film.yaml"},
    )
    assert answer.json()["jobs"][0]["title"] == "my film"


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"fps": "x"}, 422),
        ({"prompts": {}}, 422),
        ({"init_image": "/etc/passwd"}, 403),
        ({"codec": "h264", "pixel_format": "yuv420p", "fps": "1001001/7"}, 422),
        ({"device": "toaster"}, 422),
        ({"model": "https://example.com/model"}, 422),
    ],
)
def test_a_wrong_film_is_not_queued(client: TestClient, context: Context, settings: Any, status: int) -> None:
    answer = client.post(f"{ROOT}/renders", json={"settings": {**FOX, **settings}})
    assert answer.status_code == status, answer.text
    assert context.store.list() == []


def test_an_unreadable_soundtrack_is_found_before_the_film_is_queued(client: TestClient, config: ServiceConfig) -> None:
    (config.allowed[0] / "a.mp3").write_text("no sound")
    answer = client.post(f"{ROOT}/renders", json={"settings": {**FOX, "soundtrack": str(config.allowed[0] / "a.mp3")}})
    assert (answer.status_code, answer.json()["error"]) == (422, "MediaError")


def test_a_full_disk_is_507(client: TestClient, context: Context) -> None:
    object.__setattr__(context.config, "min_free_bytes", 10**18)
    answer = client.post(f"{ROOT}/renders", json={"settings": FOX})
    assert (answer.status_code, answer.json()["error"]) == (507, "StorageError")
    assert context.store.list() == []


def test_wrong_files_of_a_batch_come_back_beside_the_jobs(client: TestClient) -> None:
    good = "kind: schedule\nbackend: dry_run\nprompts: {0: a}\nmax_frames: 16\n"
    files = [{"name": "a.yaml", "text": good}, {"name": "b.yaml", "text": good + "fps: x\n"}, {"text": good}]
    answer = client.post(f"{ROOT}/renders", json={"projects": files})
    assert answer.status_code == 202
    values = answer.json()
    assert [job["title"] for job in values["jobs"]] == ["a", "file 3"]
    assert {job["batch"] for job in values["jobs"]} == {values["batch"]}
    (error,) = values["errors"]
    assert error["status"] == 422
    assert (error["problems"][0]["file"], error["problems"][0]["field"]) == ("b.yaml", "fps")
    answer = client.post(f"{ROOT}/renders", json={"projects": [files[1], {"name": "c.txt", "text": ""}]})
    assert answer.status_code == 422
    assert {each["file"] for each in answer.json()["problems"]} == {"b.yaml", "c.txt"}


def test_jobs_are_listed_by_state_and_page(client: TestClient) -> None:
    ids = [render(client)["id"] for _ in range(5)]
    client.post(f"{JOBS}/{ids[0]}/cancel")
    listed = client.get(JOBS).json()
    assert [job["id"] for job in listed["jobs"]] == ids[::-1]
    assert "settings" not in listed["jobs"][0]
    assert listed["counts"] == {"queued": 4, "running": 0, "done": 0, "failed": 0, "cancelled": 1}
    pages = client.get(JOBS, params={"limit": 2, "before": ids[3], "state": ["queued", "running"]}).json()
    assert [job["id"] for job in pages["jobs"]] == [ids[2], ids[1]]
    assert client.get(JOBS, params={"state": "burning"}).status_code == 422
    assert client.get(JOBS, params={"limit": 0}).json()["problems"][0]["field"] == "limit"


def test_a_job_is_put_forward(client: TestClient) -> None:
    job = render(client)
    answer = client.patch(f"{JOBS}/{job['id']}", json={"priority": 7})
    assert answer.json()["priority"] == 7
    assert client.patch(f"{JOBS}/{job['id']}", json={"priority": "high"}).status_code == 422


def test_a_job_is_cancelled_resumed_and_forgotten(client: TestClient) -> None:
    address = f"{JOBS}/{render(client)['id']}"
    assert client.post(f"{address}/resume").status_code == 409
    assert client.post(f"{address}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{address}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{address}/resume").json()["state"] == "queued"
    assert client.post(f"{address}/cancel").json()["state"] == "cancelled"
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404


def test_a_running_job_is_not_forgotten(client: TestClient, context: Context) -> None:
    address = f"{JOBS}/{render(client)['id']}"
    assert context.store.claim("worker", "cpu", 60) is not None
    answer = client.delete(address)
    assert (answer.status_code, answer.json()["remedy"]) == (409, "Cancel it first")
    assert client.post(f"{address}/cancel").json()["cancel_requested"]


def test_jobs_that_are_not_there(client: TestClient) -> None:
    for rest in ("", "/cancel", "/resume", "/events", "/log", "/preview", "/files", "/files/a", "/clips/0"):
        method = "POST" if rest in ("/cancel", "/resume") else "GET"
        for job_id in ("none", "..", "a.b", "%2e%2e", "a%00b", "x" * 65):
            assert client.request(method, f"{JOBS}/{job_id}{rest}").status_code in (404, 405, 422), (rest, job_id)


def test_a_made_film_has_its_log_and_paths(client: TestClient, film: dict[str, Any], config: ServiceConfig) -> None:
    assert Path(film["result"]["film"]).is_file()
    config.log(film["id"]).write_text("x" * 2**20 + "the end", encoding="utf-8")
    answer = client.get(f"{JOBS}/{film['id']}/log")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(answer.text) == 2**20
    assert answer.text.endswith("the end")
    assert client.post(f"{JOBS}/{film['id']}/resume").status_code == 409
    folder = Path(film["folder"])
    assert client.delete(f"{JOBS}/{film['id']}").status_code == 204
    assert folder.is_dir()


def test_nothing_is_queued_while_the_engine_ends(client: TestClient) -> None:
    assert client.post(f"{ROOT}/system/stop").status_code == 202
    assert client.post(f"{ROOT}/renders", json={"settings": FOX}).status_code == 503
