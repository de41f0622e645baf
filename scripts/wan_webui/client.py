"""Talks to the engine for the tab: one method a question, answers as plain values, errors with what to do.

Synchronous, for gradio's handlers. What makes something starts the engine; looking at jobs does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

    def system(self) -> Values:
        """Version, devices and what the engine can do. Does not start it."""
        return self._get("system")

    def settings_table(self) -> Values:
        """The table of settings, their groups and the families' defaults."""
        return self._ask("GET", "settings", start=True)

    def plan(self, settings: Mapping[str, Any]) -> Values:
        """Plan a film: plan, notes and the rows of its prompts."""
        return self._ask("POST", "plans", {"settings": dict(settings)})

    def plan_project(self, text: str, name: str) -> Values:
        """Plan a project file by its text; its name tells the format."""
        return self._ask("POST", "plans", {"project": text, "name": name})

    def values(self, settings: Mapping[str, Any]) -> Values:
        """The schedules' values frame by frame."""
        return self._ask("POST", "values", {"settings": dict(settings)})

    def render(self, settings: Mapping[str, Any], title: str = "", priority: int = 0) -> Values:
        """Queue a film; the answer holds its job."""
        return self._ask("POST", "renders", {"settings": dict(settings), "title": title, "priority": priority})

    def render_files(self, files: Iterable[tuple[str, str]], priority: int = 0) -> Values:
        """Queue a batch of project files (name, text); what is wrong with one stands beside the others' jobs."""
        projects = [{"name": name, "text": text} for name, text in files]
        return self._ask("POST", "renders", {"projects": projects, "priority": priority})

    def jobs(self, states: Iterable[str] = (), limit: int = 50) -> Values:
        """The jobs, newest first."""
        query: Values = {"limit": limit}
        if states:
            query["state"] = list(states)
        return self._get("jobs", query)

    def job(self, job_id: str) -> Values:
        """One job."""
        return self._get(f"jobs/{quote(job_id, safe='')}")

    def events(self, job_id: str, after: int = 0) -> Values:
        """What a job said after its event of that number."""
        return self._get(f"jobs/{quote(job_id, safe='')}/events", {"after": after})

    def files(self, job_id: str) -> Values:
        """What a job made."""
        return self._get(f"jobs/{quote(job_id, safe='')}/files")

    def cancel(self, job_id: str) -> Values:
        """Stop a job; its finished clips stay."""
        return self._ask("POST", f"jobs/{quote(job_id, safe='')}/cancel")

    def resume(self, job_id: str) -> Values:
        """Go on with a job that was stopped or failed."""
        return self._ask("POST", f"jobs/{quote(job_id, safe='')}/resume")

    def set_priority(self, job_id: str, priority: int) -> Values:
        """Move a job in the queue: higher goes first."""
        return self._ask("PATCH", f"jobs/{quote(job_id, safe='')}", {"priority": priority})

    def delete(self, job_id: str) -> None:
        """Forget a job; its films stay."""
        self._ask("DELETE", f"jobs/{quote(job_id, safe='')}")

    def upload(self, path: Path) -> Values:
        """Send a picture, film or sound; the answer holds its path at the engine and what it is."""
        with self._connection(start=True) as connection:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
            return _answer(connection, "POST", "uploads", {"name": path.name}, headers, content=_blocks(path))

    def models(self) -> Values:
        """The models that are there."""
        return self._ask("GET", "models", start=True)

    def presets(self) -> Values:
        """The saved settings by name."""
        return self._ask("GET", "presets", start=True)

    def preset(self, name: str) -> Values:
        """One preset."""
        return self._ask("GET", f"presets/{quote(name, safe='')}", start=True)

    def save_preset(self, name: str, settings: Mapping[str, Any]) -> Values:
        """Save settings under a name."""
        return self._ask("PUT", f"presets/{quote(name, safe='')}", {"settings": dict(settings)})

    def delete_preset(self, name: str) -> None:
        """Forget a preset."""
        self._ask("DELETE", f"presets/{quote(name, safe='')}")

    def import_project(self, text: str, name: str) -> Values:
        """Settings from a project or Deforum file's text; its name tells the format."""
        return self._ask("POST", "imports", {"project": text, "name": name})

    def export_project(self, settings: Mapping[str, Any]) -> str:
        """Settings as the text of a project file."""
        return str(self._ask("POST", "exports", {"settings": dict(settings)})["text"])

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Values:
        return self._ask("GET", path, query=query, start=False)

    def _ask(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None, start: bool = True
    ) -> Values:
        with self._connection(start) as connection:
            return _answer(connection, method, path, query, json={} if body is None and method == "POST" else body)

    def _connection(self, start: bool) -> httpx.Client:
        try:
            info = self._engine.ensure() if start else self._engine.find()
        except EngineUnavailable as error:
            raise ClientError(unavailable(error.message, error.remedy)) from error
        if info is None:
            raise ClientError(unavailable("The engine does not run", "It starts with the next plan or film"))
        return connect(info, self._timeout)


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


def _answer(
    connection: httpx.Client,
    method: str,
    path: str,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    **body: Any,
) -> Values:
    try:
        answer = connection.request(method, path, params=query, headers=headers, **body)
    except httpx.HTTPError as error:
        raise ClientError(unavailable(f"The engine does not answer: {error}", "Try again in a moment")) from error
    if answer.is_success:
        return dict(answer.json()) if answer.content else {}
    try:
        problem = dict(answer.json())
    except ValueError:
        problem = {"detail": f"The engine answered {answer.status_code}: {answer.text[:200]}"}
    raise ClientError({"status": answer.status_code, **problem})


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
