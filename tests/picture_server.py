"""A server on loopback that speaks the protocols of the three services that make pictures, with their errors.

Stability's `POST /v2beta/stable-image/generate/sd3` (multipart in, an image or JSON errors out), OpenAI's
`POST /v1/images/generations` and `/edits`, the WebUI's `/sdapi/v1/txt2img`, `img2img` and `options`.
"""

from __future__ import annotations

import base64
import io
import json
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from PIL import Image

from loopback import QuietHandler, listening


@dataclass(frozen=True)
class Fault:
    """What is answered in place of a picture. body: JSON or text.  hang: seconds of silence.  cut: bytes that are sent.

    broken: the answer is well-formed, but no picture is in it.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    cut: int = 0
    broken: bool = False


@dataclass
class PictureServer:
    """The running server. asked: path, authorization and fields of each request.  faults: one a request, then none."""

    address: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    with_api: bool = True
    credentials: str = ""


@contextmanager
def picture_server() -> Iterator[PictureServer]:
    """The server, until the block ends."""
    state = PictureServer("")
    with listening(_handler(state)) as state.address:
        yield state


def picture_bytes(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 40)) -> bytes:
    """A plain PNG."""
    data = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(data, "PNG")
    return data.getvalue()


def _handler(state: PictureServer) -> type[QuietHandler]:  # noqa: C901  one small method a case
    class Handler(QuietHandler):
        def do_GET(self) -> None:
            if self._is_webui() and self.path == "/sdapi/v1/options":
                self._send(200, json.dumps({"sd_model_checkpoint": "dream.safetensors [1a2b]"}).encode(), {})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            fields = _fields(self.headers["content-type"], raw)
            asked = {"path": self.path, "authorization": self.headers.get("authorization"), "fields": fields}
            state.asked.append(asked)
            fault = state.faults.pop(0) if state.faults else Fault()
            time.sleep(fault.hang)
            try:
                self._answer(fault, fields)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _answer(self, fault: Fault, fields: dict[str, Any]) -> None:
            if self.path.startswith("/sdapi/") and not self._is_webui():
                return
            if fault.status != 200 or fault.body is not None:
                body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
                self._send(fault.status, body.encode(), fault.headers)
                return
            data = b"no picture" if fault.broken else _drawn(self.path, fields)
            headers = {"content-type": "image/png", **fault.headers}
            if not self.path.startswith("/v2beta/"):
                coded = base64.b64encode(data).decode()
                answer = {"images": [coded]} if self.path.startswith("/sdapi/") else {"data": [{"b64_json": coded}]}
                data, headers = json.dumps({"created": 1, **answer}).encode(), {"content-type": "application/json"}
            self._send(200, data, headers, fault.cut)

        def _is_webui(self) -> bool:
            """Answer for a WebUI that has no API, or asks for a password."""
            if not state.with_api:
                self._send(404, b'{"detail":"Not Found"}', {})
            elif state.credentials and self.headers.get("authorization") != state.credentials:
                self._send(401, b'{"detail":"Incorrect username or password"}', {})
            else:
                return True
            return False

        def _send(self, status: int, data: bytes, headers: dict[str, str], cut: int = 0) -> None:
            self.send_head(status, len(data), {"content-type": "application/json", **headers})
            self.wfile.write(data[:cut] if cut else data)
            if cut:
                self.close_connection = True

    return Handler


def _fields(kind: str, raw: bytes) -> dict[str, Any]:
    """The fields of a JSON body or of a multipart form; files as bytes."""
    if kind.startswith("application/json"):
        value: dict[str, Any] = json.loads(raw)
        return value
    message = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + raw)
    fields: dict[str, Any] = {}
    for part in message.get_payload():
        data = part.get_payload(decode=True)  # type: ignore[union-attr]
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        fields[str(name)] = data if part.get_filename() else data.decode()  # type: ignore[union-attr]
    return fields


def _drawn(path: str, fields: dict[str, Any]) -> bytes:
    """A plain picture of the wanted size; other words have another colour."""
    words = zlib.crc32(fields["prompt"].encode())
    return picture_bytes(*_wanted(path, fields), (words % 256, words // 256 % 256, 90))


def _wanted(path: str, fields: dict[str, Any]) -> tuple[int, int]:
    """The size that the service would make."""
    if path.startswith("/sdapi/"):
        return fields["width"], fields["height"]
    if path.startswith("/v2beta/"):
        return (1344, 768) if fields.get("aspect_ratio") == "16:9" else (1024, 1024)
    width, _, height = fields["size"].partition("x")
    return int(width), int(height)
