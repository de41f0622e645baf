"""Talks to the engine for the tab: one method a question, answers as plain values, errors with what to do.

Synchronous, for gradio's handlers. Whoever asks starts the engine; the page's own looks at jobs go by `forward`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from wan_engine.errors import WanError
from wan_webui.engine_process import EngineProcess, EngineUnavailable, connect

Values = dict[str, Any]
"""A JSON object."""

_BLOCK = 1 << 20  # bytes of an upload that are in memory at once


class ClientError(WanError):
    """The engine refused or could not be reached. problem: its problem document (RFC 9457)."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.problem = dict(problem)
        self.status = int(self.problem.get("status", 500))
        message = str(self.problem.get("detail") or self.problem.get("title") or "The engine failed")
        super().__init__(message, str(self.problem.get("remedy") or ""))

    @property
    def problems(self) -> list[Values]:
        """Every problem of the input, as `errors.Problem.as_dict` gives it."""
        return list(self.problem.get("problems") or [])


class EngineClient:
    """The engine's API. timeout: seconds for each step of an answer; a plan of a long film takes a while."""

    def __init__(self, engine: EngineProcess, timeout: float = 120.0) -> None:
        self._engine = engine
        self._timeout = timeout

    def plan(self, film: Mapping[str, Any]) -> Values:
        """Plan a film, given by `settings` or as a `project`: its plan, prompts and notes."""
        return dict(self._ask("POST", "plans", dict(film)))

    def render(self, film: Mapping[str, Any], title: str = "") -> Values:
        """Queue a film, given as for `plan`; the answer holds its job."""
        return dict(self._ask("POST", "renders", {**film, "title": title}))

    def made_plan(self, job: str) -> Values:
        """The plan of a job's film with what was measured of it; an empty one where there is none."""
        files = self._ask("GET", f"jobs/{_part(job)}/files")
        names = [file["name"] for file in files if file["kind"] == "plan"]
        return dict(self._ask("GET", f"jobs/{_part(job)}/files/{_part(names[0])}")) if names else {}

    def order(self, route: str, order: Mapping[str, Any]) -> Values:
        """Send an order to a route, such as `splits`; its answer, which of queued work is the job."""
        return dict(self._ask("POST", route, dict(order)))

    def upload(self, path: Path) -> Values:
        """Send a picture, film or sound; the answer holds its path at the engine and what it is."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
        with self._connection() as connection:
            sent = {"params": {"name": path.name}, "headers": headers, "content": _blocks(path)}
            return dict(_answer(connection, "POST", "uploads", **sent))

    def models(self) -> list[Values]:
        """The models that are there."""
        return list(self._ask("GET", "models"))

    def save_preset(self, name: str, settings: Mapping[str, Any]) -> None:
        """Save settings under a name, in place of what was there."""
        self._ask("PUT", f"presets/{_part(name)}", dict(settings))

    def import_project(self, text: str, name: str) -> Values:
        """Settings and notes from a project or Deforum file's text; its name tells the format."""
        return dict(self._ask("POST", "imports", {"project": text, "name": name}))

    def export_project(self, settings: Mapping[str, Any], form: str = "project") -> Values:
        """Settings as the text of a project file, or of Deforum's (`deforum`), and notes."""
        return dict(self._ask("POST", "exports", {"settings": dict(settings), "form": form}))

    def _ask(self, method: str, path: str, body: Values | None = None) -> Any:
        with self._connection() as connection:
            return _answer(connection, method, path, json=body)

    def _connection(self) -> httpx.Client:
        try:
            return connect(self._engine.ensure(), self._timeout)
        except EngineUnavailable as error:
            raise ClientError(unavailable(error.message, error.remedy)) from error


def problem_document(status: int, detail: str, remedy: str = "", error: str = "") -> Values:
    """What the engine's API answers when something is wrong, made here when there is no engine to answer."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error": error,
        "remedy": remedy,
        "problems": [],
    }


def unavailable(detail: str, remedy: str) -> Values:
    """The problem document that says that there is no engine to ask."""
    return problem_document(503, detail, remedy, "EngineUnavailable")


def _answer(connection: httpx.Client, method: str, path: str, **sent: Any) -> Any:
    try:
        answer = connection.request(method, path, **sent)
    except httpx.HTTPError as error:
        raise ClientError(unavailable(f"The engine does not answer: {error}", "Try again in a moment")) from error
    if answer.is_success:
        return answer.json() if answer.content else {}
    try:
        problem = dict(answer.json())
    except ValueError:
        problem = {"detail": f"The engine answered {answer.status_code}: {answer.text[:200]}"}
    raise ClientError({"status": answer.status_code, **problem})


def _part(name: str) -> str:
    """A name as one part of an address."""
    return quote(name, safe="")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
