"""A server on loopback that speaks the Hugging Face hub's protocol, with a stock of small files and of faults."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from loopback import QuietHandler, listening

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_BLOCK = 16_384


@dataclass(frozen=True)
class Asked:
    """One request that came. start: the first byte it asked for by Range, 0 without one."""

    path: str
    start: int
    authorization: str


@dataclass
class Repository:
    """Files by name. large: endings of those with a SHA-256.  gated: given only with a token.  licence: its card's."""

    files: dict[str, bytes]
    licence: str = "apache-2.0"
    gated: bool = False
    large: tuple[str, ...] = (".safetensors", ".gguf")


@dataclass
class Faults:
    """What goes wrong, by the file's name.

    answers: status codes, one a request, instead of the answer; by the end of the path.  cuts: send so many bytes of
    the answer, then close; one a request.  spoilt: so many answers have other bytes than the listing promises.
    hold: nothing beyond so many bytes of the file is sent until `released` is set.  ranges: whether Range is heeded.
    """

    answers: dict[str, list[int]] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    spoilt: dict[str, int] = field(default_factory=dict)
    hold: dict[str, int] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    ranges: bool = True


class HubServer:
    """The server: repositories by name, faults, and what was asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults = Faults()
        self.asked: list[Asked] = []
        self.address = ""

    def bytes_of(self, end: str) -> list[Asked]:
        """The requests for the bytes of the file whose name ends so."""
        return [asked for asked in self.asked if asked.path.endswith(end) and "/cdn/" in asked.path]


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """Run a hub until the end of the block."""
    hub = HubServer()
    with listening(type("Handler", (_Handler,), {"hub": hub})) as hub.address:
        try:
            yield hub
        finally:
            hub.faults.released.set()


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        self.hub.asked.append(Asked(path, start, self.headers.get("Authorization", "")))
        for end, codes in self.hub.faults.answers.items():
            if path.endswith(end) and codes:
                self._refuse(codes.pop(0))
                return
        if listing := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
            self._listing(listing[1])
        elif file := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(file[1], file[2], file[3])
        elif file := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            self._send_file(file[2], self.hub.repositories[file[1]].files[file[2]], start)
        else:
            self._refuse(404)

    def _listing(self, name: str) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._refuse(401, "RepoNotFound")
            return
        siblings = []
        for file, content in repository.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            entry: dict[str, Any] = {"rfilename": file, "size": len(content), "blobId": blob}
            if file.endswith(repository.large):
                sha256 = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 134}
            siblings.append(entry)
        card = {"license": repository.licence}
        gated = "auto" if repository.gated else False
        values = {"id": name, "sha": COMMIT, "gated": gated, "cardData": card, "siblings": siblings, "tags": []}
        self._answer(200, json.dumps(values).encode(), {"Content-Type": "application/json"})

    def _resolve(self, name: str, revision: str, file: str) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None or revision != COMMIT or file not in repository.files:
            self._refuse(404, "EntryNotFound")
        elif repository.gated and self.headers.get("Authorization") != "Bearer hf_accepted":
            self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
        else:
            # Another host, as the hub's store of large files is.
            target = f"{self.hub.address.replace('127.0.0.1', 'localhost')}/cdn/{name}/{file}"
            self._answer(302, b"", {"Location": target, "X-Repo-Commit": COMMIT})

    def _send_file(self, file: str, content: bytes, start: int) -> None:
        faults = self.hub.faults
        if faults.spoilt.get(file):
            faults.spoilt[file] -= 1
            content = bytes(byte ^ 1 for byte in content)
        whole = len(content)
        start = start if faults.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        body = content[start:]
        if faults.cuts.get(file):
            self.wfile.write(body[: faults.cuts[file].pop(0)])
            self.close_connection = True
            return
        try:
            if file in faults.hold and not faults.released.is_set():
                first = max(0, faults.hold[file] - start)
                self.wfile.write(body[:first])
                self.wfile.flush()
                faults.released.wait(60)
                body = body[first:]
            for place in range(0, len(body), _BLOCK):
                self.wfile.write(body[place : place + _BLOCK])
        except OSError:  # the client has gone
            self.close_connection = True

    def _refuse(self, status: int, code: str = "") -> None:
        self._answer(status, b"", {"X-Error-Code": code} if code else {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
