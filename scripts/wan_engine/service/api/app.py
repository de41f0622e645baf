"""Puts the API together: the routes, the guard before them, and the description that clients are made from."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from wan_engine import __version__
from wan_engine.home import API_ROOT, TOKEN_HEADER
from wan_engine.service.api import (
    downloads,
    events,
    files,
    hosts,
    jobs,
    models,
    outpaints,
    planning,
    presets,
    renders,
    scenes,
    splits,
    storyboards,
    system,
    uploads,
)
from wan_engine.service.api.context import Context
from wan_engine.service.api.problems import MEDIA_TYPE, install_handlers
from wan_engine.service.api.schemas import ProblemDocument
from wan_engine.service.api.security import Guard, GuardLimits

ROUTERS = tuple(
    group.router
    for group in (
        *(system, planning, renders, splits, scenes, outpaints, storyboards, jobs, events, files, uploads),
        *(models, downloads, presets, hosts),
    )
)

_ABOUT = """The engine turns prompt schedules into films with Wan video models. It listens on this machine only. Every
request carries the token of the engine's start in the header `X-Wan-Token`."""

_ALWAYS = {401: "The token is missing or wrong.", 403: "Not from here, or not to that folder.", 500: "An engine error."}
_WITH_INPUT = {422: "The input is wrong; `problems` says where."}
_WITH_BODY = {
    400: "The body is no JSON.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "The body is of another kind.",
}


def make_app(context: Context, token: str, limits: GuardLimits | None = None) -> FastAPI:
    """The application of one engine. token: what each request must carry."""
    app = FastAPI(
        title="wan-engine",
        version=__version__,
        description=_ABOUT,
        openapi_url=f"{API_ROOT}/openapi.json",
        docs_url=None,  # the page would load scripts of other sites, and a browser cannot send the token
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    install_handlers(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API_ROOT)
    app.add_middleware(
        Guard, token=token, limits=limits or GuardLimits(context.config.max_upload_bytes), life=context.life
    )
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The API's description, with the token and the problem documents that every route may answer."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = schema.setdefault("components", {})
        parts.setdefault("schemas", {}).update(_problem_schemas())
        for unused in ("HTTPValidationError", "ValidationError"):
            parts["schemas"].pop(unused, None)
        parts["securitySchemes"] = {"token": {"type": "apiKey", "in": "header", "name": TOKEN_HEADER}}
        schema["security"] = [{"token": []}]
        for methods in schema["paths"].values():
            for operation in methods.values():
                _add_problems(operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "ProblemDocument": schema}


def _add_problems(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    expected = dict(_ALWAYS)
    if "requestBody" in operation:
        expected |= _WITH_BODY
    if "requestBody" in operation or "parameters" in operation:
        expected |= _WITH_INPUT
    for status, words in expected.items():
        answers.setdefault(str(status), {"description": words})
    for status, answer in answers.items():
        if int(status) >= 400:
            answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
            answer["description"] = expected.get(int(status), answer["description"])
