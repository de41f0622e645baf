"""A small server that stands where the engine would, so that what arrives there can be looked at, and a host without
a WebUI whose doors can be set."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from wan_engine import __version__
from wan_engine.home import API_ROOT, INFO_FILE, TOKEN_HEADER
from wan_webui.hosts import Access, Alone

TOKEN = "only-the-engine-and-the-host-know"


@contextmanager
def served(app: Any) -> Iterator[int]:
    """A server on this machine for as long as the block runs; its port."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    thread.join()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


class SmallEngine:
    """Answers under the API's root, asks for the token, and notes what came."""

    def __init__(self, film: Path) -> None:
        self.film = film
        self.requests: list[Request] = []
        self.go_on = threading.Event()
        self.left = threading.Event()
        self.asked: list[str] = []
        self.working = False
        self.freed: list[list[str]] = []
        self.api: dict[str, object] | None = None
        every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
        self.app = Starlette(routes=[Route(API_ROOT + "/{path:path}", self.answer, methods=every)])

    async def answer(self, request: Request) -> Response:
        """What the path asks for."""
        self.requests.append(request)
        if request.headers.get(TOKEN_HEADER) != TOKEN:
            return JSONResponse({"detail": "token"}, 401)
        path = request.path_params["path"]
        if path.startswith("hosts/"):
            said = await request.json()
            self.api = said["api"]
            self.freed.append(said["freed"])
            return JSONResponse({"asked": self.asked, "working": self.working})
        if path == "uploads":
            return await self._upload(request)
        if path.endswith("/events"):
            return StreamingResponse(self._events(), media_type="text/event-stream")
        if path.endswith("/film.mp4"):
            return FileResponse(self.film, media_type="video/mp4")
        if path == "broken":
            return StreamingResponse(self._broken(), headers={"content-length": "1000"})
        if path == "refused":
            return JSONResponse({"title": "no", "status": 422}, 422, media_type="application/problem+json")
        return JSONResponse({"path": path, "query": request.url.query, "version": __version__})

    async def _upload(self, request: Request) -> Response:
        digest, size, blocks = hashlib.sha256(), 0, 0
        async for block in request.stream():
            digest.update(block)
            size, blocks = size + len(block), blocks + 1
        return JSONResponse({"sha256": digest.hexdigest(), "size": size, "blocks": blocks}, 201)

    async def _events(self) -> AsyncIterator[bytes]:
        try:
            yield b"id: 1\ndata: first\n\n"
            while not self.go_on.is_set():
                await asyncio.sleep(0.01)
            yield b"id: 2\ndata: second\n\n"
        finally:
            self.left.set()

    async def _broken(self) -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError("the engine dies")


def leave_info(home: Path, port: int, token: str = TOKEN) -> None:
    """Write the file by which a running engine is found."""
    home.mkdir(parents=True, exist_ok=True)
    info = {"port": port, "token": token, "pid": os.getpid(), "version": __version__}
    (home / INFO_FILE).write_text(json.dumps(info), encoding="utf-8")


class OpenHost(Alone):
    """The page of its own, reachable as the test says."""

    def __init__(self, home: Path, access: Access = Access()) -> None:  # noqa: B008  frozen
        super().__init__(home / "outputs", home=home)
        self._access = access

    @property
    def access(self) -> Access:
        return self._access
