"""Outpaints over HTTP: looked at, checked before they are queued, made by a worker, cancelled and gone on with."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api_samples import ROOT
from scene_films import write_film
from wan_engine.media.film_frames import film_times
from wan_engine.media.probe import probe
from wan_engine.service.config import ServiceConfig
from wan_engine.service.worker import Wishes, Worker

QUICK: dict[str, Any] = {
    "backend": "dry_run",
    "aspect": "2:1",
    "split_scenes": False,
    "gradient_width": 4,
    "preset": "ultrafast",
    "encoder": "software",
    "prompt": "a beach",
}


@pytest.fixture
def film(config: ServiceConfig) -> Path:
    frames = np.random.default_rng(1).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    return write_film(config.allowed[0] / "old.mp4", frames)


def queue(client: TestClient, film: Path, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{ROOT}/outpaints", json={"film": str(film), "settings": QUICK, **body})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = client.get(answer.headers["location"]).json()
    return job


def work(client: TestClient, config: ServiceConfig, job: dict[str, Any]) -> dict[str, Any]:
    Worker(config, "cpu", True, Wishes()).run()
    done: dict[str, Any] = client.get(f"{ROOT}/jobs/{job['id']}").json()
    assert done["state"] == "done", done["error"]
    return done


def test_a_film_is_looked_at(client: TestClient, film: Path) -> None:
    body = {"film": str(film), "settings": QUICK, "frame": 3}
    answer = client.post(f"{ROOT}/outpaints/look", json=body)
    assert answer.status_code == 200, answer.text
    look = answer.json()
    assert (look["width"], look["height"], look["chunks"], look["feather"]) == (96, 48, 2, 4)
    assert look["kept"] == {"left": 16, "top": 0, "width": 64, "height": 48}
    data = base64.b64decode(look["pictures"]["mask"].partition(",")[2])
    mask = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert mask.shape == (48, 96)
    assert mask[:, :14].min() > 200
    assert mask[:, 22:74].max() < 60
    answer = client.post(f"{ROOT}/outpaints/look", json={**body, "frame": 40})
    assert answer.json()["problems"][0]["field"] == "frame"


def test_a_worker_outpaints_a_film(client: TestClient, config: ServiceConfig, film: Path) -> None:
    job = queue(client, film, cuts=[20])
    assert (job["kind"], job["state"], job["title"]) == ("outpaint", "queued", "old")
    done = work(client, config, job)
    made = Path(done["result"]["film"])
    assert (probe(made).width, probe(made).height, len(film_times(made))) == (96, 48, 40)
    assert done["progress"]["steps_done"] == done["progress"]["steps_total"] > 0
    assert any("No caption model" in note for note in done["notes"])
    kinds = {each["kind"] for each in client.get(f"{ROOT}/jobs/{job['id']}/files").json()}
    assert kinds >= {"film", "sheet", "plan", "settings"}


def test_a_preview_shows_one_frame(client: TestClient, config: ServiceConfig, film: Path) -> None:
    job = queue(client, film, preview=True, frame=10)
    done = work(client, config, job)
    assert {"before", "canvas", "mask", "after"} <= set(done["result"])
    after = np.asarray(Image.open(done["result"]["after"]))
    assert after.shape == (48, 96, 3)
    kinds = {each["kind"] for each in client.get(f"{ROOT}/jobs/{job['id']}/files").json()}
    assert kinds == {"before", "canvas", "mask", "after"}


def test_what_is_refused(client: TestClient, config: ServiceConfig, film: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(film.read_bytes())
    wrong: list[tuple[int, str, dict[str, Any]]] = [
        (403, "film", {"film": str(outside)}),
        (403, "mask", {"settings": {"mask": str(outside)}}),
        (403, "output_dir", {"settings": {**QUICK, "output_dir": str(tmp_path / "elsewhere")}}),
        (422, "film", {"film": str(film.parent / "none.mp4")}),
        (422, "crf", {"settings": {**QUICK, "crf": 99}}),
        (422, "colour", {"settings": {"colour": "red"}}),
        (422, "left", {"settings": {**QUICK, "left": 20}}),
        (422, "aspect", {"settings": {"aspect": "wide"}}),
        (422, "aspect", {"settings": {"aspect": "4:3"}}),
        (422, "batch_size", {"settings": {**QUICK, "batch_size": 16}}),
        (422, "overlap", {"settings": {**QUICK, "overlap": 7}}),
        (422, "caption_template", {"settings": {**QUICK, "caption_model": "x", "caption_template": "none"}}),
        (422, "loras", {"settings": {**QUICK, "loras": "none: 1"}}),
        (422, "cuts", {"cuts": [9, 9]}),
    ]
    for status, field, body in wrong:
        answer = client.post(f"{ROOT}/outpaints", json={"film": str(film), "settings": QUICK, **body})
        assert answer.status_code == status, (body, answer.text)
        assert answer.json()["problems"][0]["field"] == field, answer.text
    assert client.get(f"{ROOT}/jobs").json()["jobs"] == []


def test_an_outpaint_is_cancelled_in_the_queue_and_resumed(
    client: TestClient, config: ServiceConfig, film: Path
) -> None:
    job = queue(client, film)
    assert client.post(f"{ROOT}/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{ROOT}/jobs/{job['id']}/resume").json()["state"] == "queued"
    assert Path(work(client, config, job)["result"]["film"]).is_file()
