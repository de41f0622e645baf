"""What an error becomes over HTTP: a status and a problem document (RFC 9457, application/problem+json).

One table says which status each error of the engine has. Whatever else goes wrong in a request (FastAPI's own
checks, unknown routes, errors that nobody foresaw) takes the same form.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from wan_engine.errors import (
    Cancelled,
    CapabilityError,
    InputError,
    MediaError,
    ModelError,
    Problem,
    RenderError,
    StorageError,
    WanError,
)
from wan_engine.service.allowed import OutsideError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[WanError], int] = {
    WanError: 500,
    InputError: 422,
    OutsideError: 403,
    CapabilityError: 422,
    ModelError: 422,
    MediaError: 422,
    StorageError: 507,
    RenderError: 500,
    Cancelled: 409,
}
"""The status of each error; one that is not named has that of the nearest class above it."""

_UNEXPECTED = WanError("an unexpected error in the engine", "Please report it with the engine's log")
_MOST_PROBLEMS = 20
_NO_JSON = "json_invalid"
"""pydantic's name of the problem that a body is no JSON."""


class RequestError(WanError):
    """The request itself cannot be answered as it is; `status` says why in HTTP's terms."""

    exit_code = 2

    def __init__(self, status: int, message: str, remedy: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = dict(headers or {})
        super().__init__(message, remedy)


def not_found(what: str, remedy: str = "") -> RequestError:
    """404: `what` is not there."""
    return RequestError(404, f"there is no {what}", remedy)


class PlainJSON(JSONResponse):
    """JSON that is never refused for its text: half characters become `?`. NaN is a ValueError."""

    def render(self, content: Any) -> bytes:
        """The bytes of the answer."""
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


class ProblemJSON(PlainJSON):
    """A problem document."""

    media_type = MEDIA_TYPE


def status_of(error: WanError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, RequestError):
        return error.status
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_values(error: WanError) -> dict[str, Any]:
    """The problem document of an error, as JSON-able values."""
    status = status_of(error)
    problems = [problem.as_dict() for problem in error.problems] if isinstance(error, InputError) else []
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "error": type(error).__name__,
        "remedy": error.remedy,
        "problems": problems,
    }


def problem_response(error: WanError) -> Response:
    """The answer that tells an error."""
    headers = error.headers if isinstance(error, RequestError) else None
    return ProblemJSON(problem_values(error), status_of(error), headers)


def unexpected(request: str, error: Exception) -> Response:
    """The answer to an error that nobody foresaw, which is logged. request: method and path, for the log."""
    logger.error("%s failed", request, exc_info=error)
    return problem_response(_UNEXPECTED)


def install_handlers(app: FastAPI) -> None:
    """Let the application answer every kind of error with a problem document."""
    app.add_exception_handler(WanError, _on_wan_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_wan_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WanError)
    if status_of(error) >= 500:
        logger.warning("%s %s: %s", request.method, request.url.path, error)
    return problem_response(error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:_MOST_PROBLEMS]
    if any(each["type"] == _NO_JSON for each in found):
        why = str(found[0].get("ctx", {}).get("error", ""))
        return problem_response(RequestError(400, f"the body is no JSON: {why}", "Send a JSON object"))
    # The value itself is left out: it may be huge, or deeper than can be written out.
    return problem_response(InputError(_as_problem(each) for each in found))


def _as_problem(found: Mapping[str, Any]) -> Problem:
    place = [str(part) for part in found["loc"]]
    return Problem(str(found["msg"]), "See the API's description", ".".join(place[1:])[:200] or place[0])


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "there is no such route", 405: f"{request.method} is not possible here"}
    message = words.get(error.status_code, error.detail)
    headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers
    return problem_response(RequestError(error.status_code, message, "See the API's description", headers))


def _methods(request: Request) -> str:
    """The methods of a path: FastAPI names those of its first route alone."""
    described: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    fitting = [methods for path, methods in described.items() if compile_path(path)[0].match(request.url.path)]
    return ", ".join(sorted({method.upper() for methods in fitting for method in methods}))
