"""Talks to the engine that runs on this machine, for the verbs that need one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from wan_engine import errors
from wan_engine.errors import InputError, Problem, WanError
from wan_engine.home import API_ROOT, TOKEN_HEADER, read_info, state_home

_SECONDS = 60
_START_IT = "Start it: wan-engine serve"


class EngineClient:
    """The running engine of a state folder. Raises InputError when none runs; answers that tell an error raise it.

    home: None takes the usual folder. Leaving its context ends the connection.
    """

    def __init__(self, home: Path | None) -> None:
        import httpx

        folder = home or state_home()
        info = read_info(folder)
        if info is None:
            raise InputError(Problem(f"no engine runs with the state folder {folder}", _START_IT))
        self._address = info.address
        # Not through the proxies of the environment: the engine is on this machine.
        self._http = httpx.Client(
            base_url=info.address + API_ROOT, headers={TOKEN_HEADER: info.token}, timeout=_SECONDS, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The JSON values of an answer. more: `params` or `json`, as httpx takes them."""
        import httpx

        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            message = f"no engine answers at {self._address} ({type(error).__name__})"
            raise InputError(Problem(message, _START_IT)) from error
        if answer.is_error:
            values = answer.json()
            raise error_from({**values, "message": values["detail"]})
        return answer.json()


def error_from(values: Mapping[str, Any]) -> WanError:
    """The error that a problem document or a failed job tells: of its class here, so that exit codes are the same."""
    if values.get("problems"):
        return InputError(Problem(**problem) for problem in values["problems"])
    message, remedy = str(values.get("message", "")), str(values.get("remedy", ""))
    kind = getattr(errors, str(values.get("error")), None)
    if isinstance(kind, type) and issubclass(kind, WanError) and not issubclass(kind, InputError):
        return kind(message, remedy)
    return (
        WanError(message, remedy) if values.get("error") == "UnexpectedError" else InputError(Problem(message, remedy))
    )
