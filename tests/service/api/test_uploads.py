"""Files that come in: kept under a name of ours when they are pictures, films or sound, refused and removed else."""

from __future__ import annotations

import io
import random
import re
import socket
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api_samples import FOX, ROOT, TOKEN
from service_samples import wait_until
from wan_engine.home import TOKEN_HEADER
from wan_engine.media.tools import find_ffmpeg, run_ffmpeg
from wan_engine.service.api.context import Context
from wan_engine.service.config import ServiceConfig

UPLOADS = f"{ROOT}/uploads"
RAW = {"Content-Type": "application/octet-stream"}


def picture() -> bytes:
    """A PNG file of 40x20 pixels, the same each time."""
    data = io.BytesIO()
    Image.frombytes("RGB", (40, 20), random.Random(0).randbytes(40 * 20 * 3)).save(data, "PNG")
    return data.getvalue()


def made(tmp_path: Path, source: str, name: str) -> bytes:
    """A film or sound of one second, made by ffmpeg."""
    run_ffmpeg(find_ffmpeg(), ["-f", "lavfi", "-i", source, "-t", "1", str(tmp_path / name)])
    return (tmp_path / name).read_bytes()


def test_a_picture_is_kept_and_can_be_named(client: TestClient, config: ServiceConfig) -> None:
    answer = client.post(UPLOADS, params={"name": "../../a.html"}, content=picture(), headers=RAW)
    assert answer.status_code == 201, answer.text
    values = answer.json()
    path = Path(values["path"])
    assert (path.parent, path.suffix) == (config.uploads, ".png")
    assert path.read_bytes() == picture()
    assert (values["kind"], values["width"], values["height"], values["seconds"]) == ("picture", 40, 20, None)
    assert re.fullmatch(r"a-[0-9a-f]{12}", path.stem)
    plan = client.post(f"{ROOT}/plans", json={"settings": {**FOX, "init_image": str(path)}})
    assert plan.json()["plan"]["clips"][0]["start_image"] == str(path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("My film (2).mp4", "My_film_2-"), ("..", ""), ("\\\\host\\x:y|*?.png", "host_x_y-"), ("ф" * 200, "ф" * 40 + "-")],
)
def test_a_kept_file_is_called_like_what_came(client: TestClient, name: str, stem: str) -> None:
    answer = client.post(UPLOADS, params={"name": name}, content=picture(), headers=RAW).json()
    assert re.fullmatch(stem + "[0-9a-f]{12}", Path(answer["path"]).stem)


def test_films_and_sounds_are_told_apart(client: TestClient, tmp_path: Path) -> None:
    film = client.post(UPLOADS, content=made(tmp_path, "testsrc=s=64x48:r=8", "a.mp4"), headers=RAW).json()
    assert (film["kind"], film["width"], film["height"], film["seconds"]) == ("film", 64, 48, 1.0)
    sound = client.post(UPLOADS, content=made(tmp_path, "sine", "a.wav"), headers=RAW).json()
    assert (sound["kind"], sound["width"]) == ("sound", None)
    assert sound["path"].endswith(".wav")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text " * 50,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        picture()[:200],
        bytes(100_000),
    ],
    ids=["empty", "text", "playlist", "concat", "svg", "html", "cut", "zeros"],
)
def test_what_is_none_of_them_is_removed(client: TestClient, config: ServiceConfig, content: bytes) -> None:
    answer = client.post(UPLOADS, params={"name": "a.png"}, content=content, headers=RAW)
    assert (answer.status_code, answer.json()["error"]) == (422, "MediaError")
    assert "a.png" in answer.json()["detail"]
    assert str(config.home) not in answer.json()["detail"]
    assert list(config.uploads.iterdir()) == []


def test_a_picture_of_too_many_pixels_is_refused(client: TestClient, config: ServiceConfig) -> None:
    """A small file may say that it is huge (a decompression bomb)."""
    head = b"IHDR" + struct.pack(">II", 50_000, 50_000) + picture()[24:29]
    bomb = picture()[:12] + head + struct.pack(">I", zlib.crc32(head)) + picture()[33:]
    answer = client.post(UPLOADS, content=bomb, headers=RAW)
    assert answer.status_code == 422
    assert "million pixels" in answer.json()["detail"]
    assert list(config.uploads.iterdir()) == []


def test_more_than_the_limit_is_refused(client: TestClient, config: ServiceConfig) -> None:
    answer = client.post(UPLOADS, content=bytes(config.max_upload_bytes + 1), headers=RAW)
    assert answer.status_code == 413

    def pieces() -> object:
        for _ in range(30):
            yield bytes(100_000)

    answer = client.post(UPLOADS, content=pieces(), headers=RAW)  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert list(config.uploads.iterdir()) == []


def test_a_full_disk_is_507(client: TestClient, context: Context, config: ServiceConfig) -> None:
    object.__setattr__(context.config, "min_free_bytes", 10**18)
    answer = client.post(UPLOADS, content=picture(), headers=RAW)
    assert answer.status_code == 507
    assert list(config.uploads.iterdir()) == []


def test_json_is_no_upload(client: TestClient) -> None:
    assert client.post(UPLOADS, json={"a": 1}).status_code == 415
    assert client.post(f"{ROOT}/plans", content=b"{}", headers=RAW).status_code == 415


def test_a_client_that_leaves_in_the_middle_leaves_nothing(port: int, config: ServiceConfig) -> None:
    head = f"POST {UPLOADS} HTTP/1.1\r\nHost: localhost\r\n{TOKEN_HEADER}: {TOKEN}\r\n"
    head += "Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + bytes(500_000))
        wait_until(lambda: list(config.uploads.iterdir()))
    wait_until(lambda: not list(config.uploads.iterdir()))
