"""The guard before every route: who may ask, in which form, how much and how slowly.

A plain ASGI layer, so that it costs little. It lets a request through that comes to a loopback name with the token of
this start, not from a foreign page, with a body of the right kind, size and speed. Nothing here is written to a log.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wan_engine.home import API_ROOT, TOKEN_HEADER
from wan_engine.service.api.problems import RequestError, problem_response, unexpected
from wan_engine.service.life import Life

JSON_BYTES = 2**20
"""Largest body of a route that takes JSON."""
SCHEDULE_BYTES = 8 * 2**20
"""Largest body of a route that takes schedules: 10 000 long prompts have about 5 MB."""
BODY_SECONDS = 20.0
"""A JSON body must be here by then; so long may an upload pause."""

_DRAIN_BYTES, _DRAIN_SECONDS = 64 * 2**20, 2.0

_WITH_SCHEDULES = ("plans", "prompts", "renders", "imports", "exports", "storyboards", "keyframes")
_SCHEDULES = tuple(f"{API_ROOT}/{name}" for name in _WITH_SCHEDULES)
_UPLOADS = f"{API_ROOT}/uploads"
_HOSTS = f"{API_ROOT}/hosts/"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_CHANGES = ("POST", "PUT", "PATCH", "DELETE")

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
)
"""Put on every answer: a file that is served stays what it is said to be, and no script in it runs."""


@dataclass(frozen=True)
class GuardLimits:
    """How much a request may bring. upload_bytes: largest upload.  body_seconds: see BODY_SECONDS."""

    upload_bytes: int
    body_seconds: float = BODY_SECONDS


class Guard:
    """The layer itself. life: is told of each client that is being answered, if its token is right."""

    def __init__(self, app: ASGIApp, token: str, limits: GuardLimits, life: Life) -> None:
        self._app = app
        self._token = token.encode("ascii")
        self._limits = limits
        self._life = life

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        try:
            body = self._checked(scope, receive)
            # A WebUI's sign of life is sent as long as the engine runs; it must not keep it running.
            with contextlib.nullcontext() if scope["path"].startswith(_HOSTS) else self._life.wanted():
                await self._app(scope, body, send_marked)
        except RequestError as error:
            await _drain(receive)
            await problem_response(error)(scope, receive, send_marked)
        except ClientDisconnect:
            return  # it left while it sent: there is nobody to answer
        except Exception as error:
            if started:
                raise
            await unexpected(f"{scope['method']} {scope['path']}", error)(scope, receive, send_marked)

    def _checked(self, scope: Scope, receive: Receive) -> Receive:
        """What the request's body is to be read with. Raises RequestError for a request that is not let through."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        _check_host(_values(headers, b"host"))
        _check_origin(_values(headers, b"origin"))
        self._check_token(_values(headers, TOKEN_HEADER.lower().encode()))
        if scope["method"] not in _CHANGES:
            return receive
        return self._body(scope["path"], headers, receive)

    def _check_token(self, given: list[bytes]) -> None:
        if len(given) != 1 or not hmac.compare_digest(given[0], self._token):
            remedy = f"Send the token of the engine's start in the header {TOKEN_HEADER}"
            raise RequestError(401, "the token is missing or wrong", remedy, {"WWW-Authenticate": TOKEN_HEADER})

    def _body(self, path: str, headers: list[tuple[bytes, bytes]], receive: Receive) -> Receive:
        upload = path == _UPLOADS
        most = self._limits.upload_bytes if upload else SCHEDULE_BYTES if path.startswith(_SCHEDULES) else JSON_BYTES
        lengths = _values(headers, b"content-length")
        _check_kind(_values(headers, b"content-type"), lengths, _values(headers, b"transfer-encoding"), upload)
        if lengths and int(lengths[0]) > most:
            raise _too_large(most)
        return _BodyReader(receive, most, self._limits.body_seconds, pauses=upload)


class _BodyReader:
    """Reads a request's body, within bounds of size and time. Afterwards only the client's leaving is waited for."""

    def __init__(self, receive: Receive, most: int, seconds: float, pauses: bool) -> None:
        self._receive = receive
        self._most = most
        self._seconds = seconds
        self._pauses = pauses
        self._until = time.monotonic() + seconds
        self._size = 0
        self._open = True

    async def __call__(self) -> Message:
        if not self._open:
            return await self._receive()
        try:
            async with asyncio.timeout(self._seconds if self._pauses else self._until - time.monotonic()):
                message = await self._receive()
        except TimeoutError as error:
            # starlette's class, for FastAPI lets only that one through while it reads a body.
            raise HTTPException(408, "the body came too slowly", {"Connection": "close"}) from error
        self._size += len(message.get("body", b""))
        self._open = message.get("more_body", False)
        if self._size > self._most:
            if self._open:
                await _drain(self._receive)
            raise HTTPException(413, _too_large(self._most).message, {"Connection": "close"})
        return message


async def _drain(receive: Receive) -> None:
    """Take what still comes of a body that is refused: a client that is closed on while it sends sees no answer."""
    size, more = 0, True
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while more and size < _DRAIN_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        return  # it gets its answer all the same


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def _check_host(given: list[bytes]) -> None:
    """A page of another name that a browser was told leads here (DNS rebinding) is refused."""
    if len(given) != 1 or not _HOST.fullmatch(given[0].decode("latin-1")):
        raise RequestError(403, "the engine is not known by this Host", "Ask it as 127.0.0.1 or localhost")


def _check_origin(given: list[bytes]) -> None:
    for each in given:
        try:
            host = urlsplit(each.decode("latin-1")).hostname
        except ValueError:
            host = None
        if host not in _LOOPBACK:
            raise RequestError(403, "requests from pages of other sites are not answered", "Ask it from this machine")


def _check_kind(kinds: list[bytes], lengths: list[bytes], transfer: list[bytes], upload: bool) -> None:
    """A form of another site can send neither of the two kinds, nor the token."""
    wanted = b"application/octet-stream" if upload else b"application/json"
    empty = not transfer and (not lengths or int(lengths[0]) == 0)
    if empty and not kinds:
        return
    if len(kinds) != 1 or kinds[0].split(b";")[0].strip().lower() != wanted:
        message = "the body's kind is not taken here"
        raise RequestError(415, message, f"Send it with Content-Type: {wanted.decode('ascii')}")


def _too_large(most: int) -> RequestError:
    message = f"the body has more than {most} bytes"
    return RequestError(413, message, "Send less at once", {"Connection": "close"})
