"""Hands a request on to the engine and its answer back, both streamed: uploads, films by parts, events.

The engine's token is added here and reaches no browser; the WebUI's cookies and passwords do not reach the engine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from wan_engine.home import API_ROOT, RESTRICTED_HEADER, TOKEN_HEADER, EngineInfo

log = logging.getLogger(__name__)

# RFC 9110, 7.6.1: they are for one connection only.
_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}
_NOT_FOR_THE_ENGINE = _HOP_BY_HOP | {
    *("host", "origin", "referer", "cookie", "authorization", "accept-encoding", "expect", TOKEN_HEADER.lower()),
    RESTRICTED_HEADER.lower(),
    *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
}
_NOT_FOR_THE_BROWSER = _HOP_BY_HOP | {"server", "date", "set-cookie"}

# Seconds; an answer may take as long as it wants: events come when there are some.
_TIMEOUT = httpx.Timeout(None, connect=5.0)


class Forwarded(StreamingResponse):
    """The engine's answer, on its way through."""

    def __init__(self, answer: httpx.Response, connection: httpx.AsyncClient) -> None:
        super().__init__(_body(answer), status_code=answer.status_code)
        self.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.decode("latin-1").lower() not in _NOT_FOR_THE_BROWSER
        ]
        if not answer.headers.get("content-type", "").endswith("json"):
            # Or the WebUI's compression holds events back and breaks the ranges of films.
            self.raw_headers.append((b"content-encoding", b"identity"))
        self._answer = answer
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and close the connection to the engine also when the browser has gone."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(self._close())

    async def _close(self) -> None:
        await self._answer.aclose()
        await self._connection.aclose()


async def forward(request: Request, path: str, info: EngineInfo, restriction: str = "") -> Response:
    """The engine's answer. path: below the API's root, decoded.  restriction: why the visitor may spend no money.

    Raises httpx.HTTPError if the engine is not there.
    """
    connection = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, verify=False)  # noqa: S501  loopback, no TLS
    address = f"{info.address}{API_ROOT}/{quote(path, safe='/')}"
    query = request.scope["query_string"].decode("latin-1")
    asked = connection.build_request(
        request.method,
        f"{address}?{query}" if query else address,
        headers=_headers(request.headers.raw, info, restriction),
        content=request.stream() if _has_body(request) else None,
    )
    try:
        return Forwarded(await connection.send(asked, stream=True), connection)
    except BaseException:
        await asyncio.shield(connection.aclose())
        raise


def _headers(given: Iterable[tuple[bytes, bytes]], info: EngineInfo, restriction: str) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in given if name.decode("latin-1").lower() not in _NOT_FOR_THE_ENGINE]
    restricted = [(RESTRICTED_HEADER.encode(), restriction.encode())] if restriction else []
    return [*kept, *restricted, (b"accept-encoding", b"identity"), (TOKEN_HEADER.encode(), info.token.encode())]


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for block in answer.aiter_raw():
            yield block
    except httpx.HTTPError as error:
        # The server closes the connection if a length was promised; events are asked for again by the page.
        log.info("the engine broke off an answer: %s", error)
