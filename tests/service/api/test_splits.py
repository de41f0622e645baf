"""Splits over HTTP: checked before they are queued, done by a worker, cancelled and gone on with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api_samples import ROOT
from scene_films import Join, joined, texture_clip, write_film
from wan_engine.service.config import ServiceConfig
from wan_engine.service.worker import Wishes, Worker

QUICK = {"detector": "content", "preset": "ultrafast", "height": 0, "encoder": "software"}


@pytest.fixture(scope="module")
def made_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    frames, _ = joined([texture_clip(seed, 24) for seed in range(3)], [Join("cut")] * 2)
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", frames).read_bytes()


@pytest.fixture
def film(config: ServiceConfig, made_film: bytes) -> Path:
    path = config.allowed[0] / "a_b_c_S02.mp4"
    path.write_bytes(made_film)
    return path


def queue(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{ROOT}/splits", json={"settings": QUICK, **body})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = client.get(answer.headers["location"]).json()
    return job


def test_a_worker_splits_a_film(client: TestClient, config: ServiceConfig, film: Path) -> None:
    job = queue(client, films=[str(film)])
    assert (job["kind"], job["state"], job["title"]) == ("split", "queued", "a_b_c_S02")
    Worker(config, "cpu", True, Wishes()).run()
    job = client.get(f"{ROOT}/jobs/{job['id']}").json()
    assert job["state"] == "done", job["error"]
    assert job["folder"] == str(config.outputs / "scenes")
    assert job["progress"]["steps_done"] == job["progress"]["steps_total"] > 0
    (made,) = job["result"]["films"]
    listed = client.get(f"{ROOT}/files", params={"path": made["list"]}).json()
    assert [(each["start"], each["end"]) for each in listed["scenes"]] == [(0, 24), (24, 48), (48, 72)]
    assert client.get(f"{ROOT}/files", params={"path": made["sheet"]}).headers["content-type"] == "image/png"
    assert len(list((config.outputs / "scenes").glob("video-S02-*.mp4"))) == 3
    # Moved by hand, the curve is not drawn again.
    again = queue(client, films=[str(film)], scenes=[[0, 20], [24, 72]])
    Worker(config, "cpu", True, Wishes()).run()
    again = client.get(f"{ROOT}/jobs/{again['id']}").json()
    assert again["state"] == "done", again["error"]
    assert again["result"]["films"][0]["made"] == 2
    events = client.get(f"{ROOT}/jobs/{again['id']}/events").text
    assert "Finding scenes" not in events


def test_a_folder_with_a_damaged_film(client: TestClient, config: ServiceConfig, film: Path) -> None:
    (film.parent / "bad.mp4").write_bytes(film.read_bytes()[:2000])
    job = queue(client, films=[str(film.parent)], settings={**QUICK, "list_only": True})
    Worker(config, "cpu", True, Wishes()).run()
    job = client.get(f"{ROOT}/jobs/{job['id']}").json()
    assert job["state"] == "done", job["error"]
    assert any("bad.mp4" in note for note in job["notes"])
    assert [each["error"] is None for each in job["result"]["films"]] == [True, False]


def test_what_is_refused(client: TestClient, config: ServiceConfig, film: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(film.read_bytes())
    link = film.parent / "link.mp4"
    link.symlink_to(outside)
    wrong: list[tuple[int, dict[str, Any]]] = [
        (403, {"films": [str(outside)]}),
        (403, {"films": [str(link)]}),
        (403, {"films": [f"{film.parent}/*.mp4"]}),
        (403, {"films": [str(film)], "settings": {"output_dir": str(tmp_path / "elsewhere")}}),
        (422, {"films": [str(film.parent / "none.mp4")]}),
        (422, {"films": [str(film)], "settings": {"crf": 99}}),
        (422, {"films": [str(film)], "settings": {"colour": "red"}}),
        (422, {"films": [str(film)], "settings": {"name_pattern": "same"}}),
        (422, {"films": [str(film)], "scenes": [[5, 5]]}),
        (422, {"films": []}),
        (422, {"films": ["http://example.org/a.mp4"]}),
    ]
    for status, body in wrong:
        answer = client.post(f"{ROOT}/splits", json=body)
        assert answer.status_code == status, (body, answer.text)
    assert client.get(f"{ROOT}/jobs").json()["jobs"] == []


def test_a_split_is_cancelled_in_the_queue_and_resumed(client: TestClient, config: ServiceConfig, film: Path) -> None:
    job = queue(client, films=[str(film)])
    assert client.post(f"{ROOT}/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{ROOT}/jobs/{job['id']}/resume").json()["state"] == "queued"
    Worker(config, "cpu", True, Wishes()).run()
    assert client.get(f"{ROOT}/jobs/{job['id']}").json()["state"] == "done"


def test_scenes_are_looked_at(client: TestClient, config: ServiceConfig, film: Path, tmp_path: Path) -> None:
    job = queue(client, films=[str(film)], settings={**QUICK, "list_only": True})
    Worker(config, "cpu", True, Wishes()).run()
    (made,) = client.get(f"{ROOT}/jobs/{job['id']}").json()["result"]["films"]
    seen = client.get(f"{ROOT}/scenes", params={"path": made["list"], "points": 12}).json()
    assert [(each["start"], each["end"]) for each in seen["list"]["scenes"]] == [(0, 24), (24, 48), (48, 72)]
    assert [each > 0.5 for each in seen["curve"]["likelihood"]] == [number in (3, 7) for number in range(12)]
    assert seen["curve"]["seconds"] == pytest.approx([number / 4 for number in range(13)], abs=0.01)

    def picture(data: bytes) -> Any:
        return np.asarray(Image.open(io.BytesIO(data))).astype(float)

    frames = {
        number: client.get(f"{ROOT}/scenes/frame", params={"path": made["list"], "number": number, "side": 192})
        for number in (23, 24, 25)
    }
    assert {answer.headers["content-type"] for answer in frames.values()} == {"image/jpeg"}
    shown = {number: picture(answer.content) for number, answer in frames.items()}
    assert shown[24].shape == (108, 192, 3)
    assert abs(shown[24] - shown[23]).mean() > 3 * abs(shown[25] - shown[24]).mean(), "the cut is before frame 24"
    kept = client.post(f"{ROOT}/scenes/frames", json={"path": made["list"], "frame": 24})
    assert kept.status_code == 201, kept.text
    assert abs(picture(Path(kept.json()["path"]).read_bytes()) - shown[24]).mean() < 8
    assert client.get(f"{ROOT}/scenes/frame", params={"path": made["list"], "number": 72}).status_code == 422
    # A list that names a film elsewhere gives nothing away.
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(film.read_bytes())
    listed = Path(made["list"])
    listed.write_text(listed.read_text().replace(str(film), str(outside)))
    for path in ("scenes", "scenes/frame?number=1"):
        assert client.get(f"{ROOT}/{path}", params={"path": str(listed), "number": 1}).status_code == 403
    assert client.get(f"{ROOT}/scenes", params={"path": str(film.parent / "none.json")}).status_code == 422
    listed.with_suffix(".npz").unlink()
    assert client.get(f"{ROOT}/scenes", params={"path": str(listed)}).status_code in (403, 422)
