"""What holds for every test: a clean environment, no network, and a logged ERROR is a failure."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from hub_server import HubServer, hub_server

# The same examples on every run, so that a failure is the change's; no deadline, for the machine may be busy.
hypothesis_settings.register_profile("house", deadline=None, derandomize=True)
hypothesis_settings.load_profile("house")

_AGAINST_THE_CLOCK = (
    "browser",
    "cli",
    "executors",
    "media",
    "models/catalog",
    "models/downloads",
    "models/test_load",
    "plan/test_build.py",
    "schedule",
    "service",
    "storage",
    "storyboard",
    "test_film.py",
    "test_install.py",
    "test_kills.py",
    "test_outpaint_kills.py",
    "test_resume.py",
    "test_settings.py",
    "tools/scenes/test_kills.py",
    "webui",
)
"""Tests that measure time, or drive processes and pages that wait for one another, lie in these folders and files."""
_AGAIN = 2

_CLEANED = ("WAN_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "DIFFUSERS_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests against the clock get a second and a third chance: a machine that is busy is no fault. Each is reported."""
    here = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(here).as_posix()
        if place.startswith(_AGAINST_THE_CLOCK):
            item.add_marker(pytest.mark.flaky(reruns=_AGAIN))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own settings reach no test."""
    for name in tuple(os.environ):
        if name.startswith(_CLEANED):
            monkeypatch.delenv(name)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub of models on loopback, which downloads ask instead of the public one."""
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def _is_local(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Connecting to anything but this machine is an error, also while wider fixtures are made."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            real = getattr(socket.socket, name)

            def guarded(self: socket.socket, address: Any, real: Any = real) -> Any:
                if not _is_local(self.family, address):
                    raise RuntimeError(f"a test connects to {address!r}: tests use no network")
                return real(self, address)

            patch.setattr(socket.socket, name, guarded)
        yield


class _ErrorRecords(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def no_logged_errors() -> Iterator[None]:
    """An ERROR in the engine's log fails the test."""
    handler = _ErrorRecords()
    logger = logging.getLogger("wan_engine")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    assert not handler.messages, "logged as ERROR: " + "; ".join(handler.messages)
