"""Decides who may use the extension's routes: by the WebUI's passwords, from its own pages, nothing costly in public.

A WebUI leaves routes of extensions open even when it asks for passwords, so they are asked for here, both kinds: what
gradio asks of its own pages, or the user and password of --api-auth.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, HTTPException
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from wan_webui.hosts import Access

SAFE_METHODS = ("GET", "HEAD")
METHODS = (*SAFE_METHODS, "POST", "PUT", "PATCH", "DELETE")
OWN_HEADER = "X-Wan"
"""Any value of it tells a request of our page from a form of another site, which cannot set headers."""

_OWN_TYPES = ("application/json", "application/octet-stream")
Endpoint = Callable[[Request], Awaitable[Response]]


class CredentialRoute(Route):
    """A route for requests with right credentials of --api-auth; others go on to the route behind it."""

    def __init__(self, path: str, endpoint: Endpoint, credentials: tuple[tuple[str, str], ...]) -> None:
        super().__init__(path, endpoint, methods=list(METHODS), include_in_schema=False)
        self._credentials = credentials

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As every route, but never without credentials."""
        match, child = super().matches(scope)
        if match != Match.NONE and not are_right(Headers(scope=scope).get("authorization", ""), self._credentials):
            return Match.NONE, {}
        return match, child


def add_guarded(app: FastAPI, path: str, endpoint: Endpoint, access: Access) -> None:
    """Add a route that asks for what the WebUI asks for; one of the same path from before is replaced."""
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != path]
    if access.api_credentials:
        app.router.routes.append(CredentialRoute(path, endpoint, access.api_credentials))
    checks = _gradio_checks(app.routes)
    if not checks and (access.api_credentials or access.gradio_auth):
        checks = [Depends(refuse)]
    app.add_api_route(
        path, endpoint, methods=list(METHODS), dependencies=checks, include_in_schema=False, response_model=None
    )


def _gradio_checks(routes: list[BaseRoute]) -> list[Any]:
    """What gradio asks of a visitor before it shows its pages. The cookie's name differs by version: it is not read."""
    return next((list(getattr(route, "dependencies", ())) for route in routes if _path(route) == "/config"), [])


def _path(route: BaseRoute) -> str:
    return str(getattr(route, "path", ""))


def refuse() -> None:
    """Let nobody in."""
    raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Basic"})


def are_right(authorization: str, credentials: tuple[tuple[str, str], ...]) -> bool:
    """If an Authorization header holds one of these pairs; takes as long for a wrong one as for a right one."""
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return False
    fits = [secrets.compare_digest(given, f"{user}:{password}".encode()) for user, password in credentials]
    return any(fits)


def foreign(headers: Headers) -> str:
    """Why a request that changes something may come from another site's page; empty if it does not."""
    if OWN_HEADER not in headers and headers.get("content-type", "").split(";")[0].strip() not in _OWN_TYPES:
        return f"send {' or '.join(_OWN_TYPES)}, or the header {OWN_HEADER}"
    site = headers.get("sec-fetch-site")
    if site:
        return "" if site in ("same-origin", "none") else "the request comes from a page of another site"
    origin = headers.get("origin")
    # Behind a proxy, Host may name the proxy's target. Another site's page cannot set X-Forwarded-Host.
    hosts = (headers.get("host"), headers.get("x-forwarded-host"))
    if origin and urlsplit(origin).netloc not in hosts:
        return "the request comes from a page of another site"
    return ""
