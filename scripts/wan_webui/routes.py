"""The extension's routes at the WebUI: /wan/v1/... go to the engine; a few about the engine itself are answered here.

GET  /wan/v1/engine            how the installation and the engine stand
POST /wan/v1/engine/install    begin to install in the background
POST /wan/v1/engine/start      start the engine and wait until it answers
POST /wan/v1/engine/stop       end it; films in the making go on
GET  /wan/v1/engine/log        what the engine printed last, as plain text
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from wan_engine.home import API_ROOT, read_info
from wan_webui.client import problem_document, unavailable
from wan_webui.engine_process import EngineUnavailable
from wan_webui.forward import forward
from wan_webui.guard import SAFE_METHODS, add_guarded, foreign
from wan_webui.services import Services

log = logging.getLogger(__name__)

_LOG_LINES = 400
_STOPPED = ("The engine does not run", "It starts with the next plan or film")


def install(app: FastAPI, services: Services) -> None:
    """Add the routes to the WebUI's server; again on the same one changes nothing."""
    add_guarded(app, API_ROOT + "/{path:path}", Routes(services).handle, services.host.access)


class Routes:
    """The routes of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._own: dict[tuple[str, str], Callable[[], Response]] = {
            ("GET", "engine"): self._engine,
            ("POST", "engine/install"): self._install,
            ("POST", "engine/start"): self._start,
            ("POST", "engine/stop"): self._stop,
            ("GET", "engine/log"): self._log,
        }

    async def handle(self, request: Request) -> Response:
        """Answer a request of a visitor who was let in."""
        path, method = request.path_params["path"].rstrip("/"), request.method
        refused = self._refusal(request, path)
        if refused:
            return refused
        own = self._own.get(("GET" if method == "HEAD" else method, path))
        try:
            if own:
                return await run_in_threadpool(own)
            return await self._forward(request, path)
        except EngineUnavailable as error:
            return problem(unavailable(error.message, error.remedy))

    def _refusal(self, request: Request, path: str) -> Response | None:
        parts = path.split("/")
        # The engine hears from WebUIs about their GPU by their own process, not by a browser.
        if ".." in parts or "." in parts or parts[0] == "hosts":
            return problem(problem_document(404, f"There is no {API_ROOT}/{path}"))
        if request.method in SAFE_METHODS:
            return None
        reason = foreign(request.headers)
        if reason:
            return problem(problem_document(403, f"Refused: {reason}"))
        restriction = self._services.host.access.restriction
        if restriction and is_restricted(request.method, path):
            return problem(problem_document(403, f"Refused: {restriction}"))
        return None

    async def _forward(self, request: Request, path: str) -> Response:
        starts = request.method not in SAFE_METHODS and path != "system/stop"
        engine = self._services.engine
        info = await run_in_threadpool(engine.ensure) if starts else read_info(engine.home)
        if info is None:
            raise EngineUnavailable(*_STOPPED)
        try:
            answer = await forward(request, path, info, self._services.host.access.restriction)
        except httpx.HTTPError as error:
            log.info("the engine at port %d does not answer: %r", info.port, error)
            raise EngineUnavailable(*_STOPPED) from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            # Not the visitor's token: the engine was started again in this moment.
            raise EngineUnavailable("The engine was just started again", "Try again in a moment")
        return answer

    def _engine(self) -> Response:
        info = self._services.engine.find()
        return JSONResponse(
            {
                "install": self._services.installation.state().as_dict(),
                "running": info is not None,
                "version": info.version if info else "",
                "host": self._services.host.name,
                "restriction": self._services.host.access.restriction,
            }
        )

    def _install(self) -> Response:
        try:
            self._services.installation.start()
        except OSError as error:
            return problem(problem_document(500, f"The installation cannot be started: {error}"))
        return self._engine()

    def _start(self) -> Response:
        self._services.engine.ensure()
        return self._engine()

    def _stop(self) -> Response:
        self._services.engine.stop()
        return self._engine()

    def _log(self) -> Response:
        return PlainTextResponse(self._services.engine.log(_LOG_LINES))


def is_restricted(method: str, path: str) -> bool:
    """If a request deletes, installs, downloads or stops the engine."""
    costly = path in ("engine/install", "engine/stop", "system/stop") or path.startswith(("models", "downloads"))
    return method == "DELETE" or costly


def problem(document: dict[str, Any]) -> Response:
    """An answer that says what is wrong."""
    return JSONResponse(document, document["status"], media_type="application/problem+json")
