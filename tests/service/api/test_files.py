"""Files over HTTP: parts, kinds, and nothing from outside the folders that are allowed."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api_samples import ROOT
from wan_engine.media.probe import probe
from wan_engine.service.config import ServiceConfig

PROBLEM = "application/problem+json"


@pytest.fixture
def text(client: TestClient, config: ServiceConfig) -> tuple[str, str]:
    """A file of ten letters in an allowed folder: its address and path."""
    path = config.allowed[0] / "ten.txt"
    path.write_text("abcdefghij")
    return f"{ROOT}/files", str(path)


def test_a_films_files_are_listed_and_served(client: TestClient, film: dict[str, Any]) -> None:
    listed = client.get(f"{ROOT}/jobs/{film['id']}/files").json()
    kinds = {entry["kind"]: entry for entry in listed}
    assert {"film", "subtitles", "sheet", "plan", "settings", "frame"} == kinds.keys()
    assert len([entry for entry in listed if entry["kind"] == "frame"]) == 16
    types = {
        "film": "video/mp4",
        "sheet": "image/png",
        "plan": "application/json",
        "frame": "image/png",
        "subtitles": "text/plain; charset=utf-8",
    }
    for kind, media_type in types.items():
        answer = client.get(kinds[kind]["url"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert len(answer.content) == kinds[kind]["size"]
    (film_file,) = Path(film["folder"]).glob("*.mp4")
    assert client.get(kinds["film"]["url"]).content == film_file.read_bytes()


def test_a_job_that_has_not_begun_has_no_files(client: TestClient, film: dict[str, Any]) -> None:
    again = client.post(f"{ROOT}/renders", json={"settings": film["settings"]}).json()["jobs"][0]["id"]
    assert client.get(f"{ROOT}/jobs/{again}/files").json() == []
    assert client.get(f"{ROOT}/jobs/{again}/files/a.mp4").status_code == 404
    assert client.get(f"{ROOT}/jobs/{again}/clips/0").status_code == 404


def test_a_finished_clip_is_played_back(client: TestClient, film: dict[str, Any], tmp_path: Path) -> None:
    address = f"{ROOT}/jobs/{film['id']}/clips/1"
    answer = client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    (tmp_path / "clip.mp4").write_bytes(answer.content)
    info = probe(tmp_path / "clip.mp4")
    assert (info.width, info.height, info.codec) == (64, 64, "h264")
    part = client.get(address, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert client.head(address).headers["content-length"] == str(len(answer.content))
    assert client.get(f"{ROOT}/jobs/{film['id']}/clips/9").status_code == 404
    assert client.get(f"{ROOT}/jobs/{film['id']}/clips/-1").status_code == 422


def test_the_preview_picture(client: TestClient, film: dict[str, Any], config: ServiceConfig) -> None:
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "JPEG")
    config.preview(film["id"]).write_bytes(data.getvalue())
    answer = client.get(f"{ROOT}/jobs/{film['id']}/preview")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    config.preview(film["id"]).unlink()
    assert client.get(f"{ROOT}/jobs/{film['id']}/preview").status_code == 404


def test_parts_of_a_file(client: TestClient, text: tuple[str, str]) -> None:
    address, path = text
    whole = client.get(address, params={"path": path})
    assert (whole.status_code, whole.text) == (200, "abcdefghij")
    assert whole.headers["accept-ranges"] == "bytes"
    for wanted, status, found in [
        ("bytes=0-1", 206, "ab"),
        ("bytes=7-", 206, "hij"),
        ("bytes=-2", 206, "ij"),
        ("bytes=8-100", 206, "ij"),
    ]:
        answer = client.get(address, params={"path": path}, headers={"Range": wanted})
        assert (answer.status_code, answer.text) == (status, found), wanted
    several = client.get(address, params={"path": path}, headers={"Range": "bytes=0-0,9-9"})
    assert several.status_code == 206
    assert several.headers["content-type"].startswith("multipart/byteranges")
    assert b"\r\n\r\na\r\n" in several.content
    assert b"\r\n\r\nj\r\n" in several.content
    beyond = client.get(address, params={"path": path}, headers={"Range": "bytes=10-"})
    assert (beyond.status_code, beyond.headers["content-type"]) == (416, PROBLEM)
    assert beyond.headers["content-range"] == "bytes */10"
    assert client.get(address, params={"path": path}, headers={"Range": "lines=1"}).status_code == 400


def test_a_part_of_a_file_that_changed_is_the_whole_file(client: TestClient, text: tuple[str, str]) -> None:
    address, path = text
    tag = client.get(address, params={"path": path}).headers["etag"]
    headers = {"Range": "bytes=0-1", "If-Range": tag}
    assert client.get(address, params={"path": path}, headers=headers).status_code == 206
    Path(path).write_text("klmnopqrstu")
    answer = client.get(address, params={"path": path}, headers=headers)
    assert (answer.status_code, answer.text) == (200, "klmnopqrstu")


def test_head_tells_the_size(client: TestClient, text: tuple[str, str]) -> None:
    answer = client.head(text[0], params={"path": text[1]})
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "10", b"")


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "code.js", "noending", "style.css", "a.xhtml"])
def test_what_a_browser_would_run_is_only_saved(client: TestClient, config: ServiceConfig, name: str) -> None:
    (config.allowed[0] / name).write_text("<script>alert(1)</script>")
    answer = client.get(f"{ROOT}/files", params={"path": str(config.allowed[0] / name)})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/dev/zero", "{root}/../../secret.txt", "{root}/link", "{home}/config.json", "a.png"]
)
def test_files_outside_are_refused(client: TestClient, config: ServiceConfig, path: str, tmp_path: Path) -> None:
    (tmp_path.parent / "secret.txt").write_text("secret")
    (config.allowed[0] / "link").symlink_to("/etc/passwd")
    answer = client.get(f"{ROOT}/files", params={"path": path.format(root=config.allowed[0], home=config.home)})
    assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM)


def test_folders_pipes_and_nothing_are_not_served(client: TestClient, config: ServiceConfig) -> None:
    root = config.allowed[0]
    os.mkfifo(root / "pipe")
    for path in (root, root / "pipe", root / "none", root / "a" / ("x" * 300)):
        assert client.get(f"{ROOT}/files", params={"path": str(path)}).status_code in (404, 422), path
    assert client.get(f"{ROOT}/files", params={"path": f"{root}/a\0b"}).status_code == 422
    assert client.get(f"{ROOT}/files").status_code == 422


def test_a_link_in_a_films_folder_leads_nowhere(client: TestClient, film: dict[str, Any]) -> None:
    (Path(film["folder"]) / "link.mp4").symlink_to("/etc/passwd")
    assert client.get(f"{ROOT}/jobs/{film['id']}/files/link.mp4").status_code == 403
    assert client.get(f"{ROOT}/jobs/{film['id']}/files/%2e%2e").status_code in (403, 404)
    assert client.get(f"{ROOT}/jobs/{film['id']}/files/%2e%2e%2fa").status_code in (403, 404, 422)
