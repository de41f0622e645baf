"""When an engine is idle, and which ports it takes; the rest is tested with processes (tests/cli/test_serve.py)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service_samples import job, quick_config
from wan_engine.errors import InputError
from wan_engine.service.api.context import Context
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.life import Life
from wan_engine.service.server import Callbacks, is_idle, run_engine
from wan_engine.service.store import JobStore


@pytest.fixture
def now() -> list[float]:
    """The time, to be moved."""
    return [0.0]


@pytest.fixture
def context(tmp_path: Path, now: list[float]) -> Iterator[Context]:
    """An engine that ends after a minute."""
    config = quick_config(tmp_path, idle_minutes=1.0)
    store = JobStore(config.database)
    yield Context(config, store, HostsBoard(store.database), Life(clock=lambda: now[0]))
    store.close()


def test_it_is_idle_without_clients_and_jobs(context: Context, now: list[float]) -> None:
    assert not is_idle(context)
    now[0] = 61.0
    assert is_idle(context)
    with context.life.wanted():
        assert not is_idle(context)
    assert not is_idle(context)
    now[0] = 122.0
    assert is_idle(context)
    assert not is_idle(replace(context, config=replace(context.config, idle_minutes=0.0)))


def test_jobs_keep_it_alive(context: Context, now: list[float]) -> None:
    now[0] = 61.0
    queued = context.store.add(job())
    assert not is_idle(context)
    context.store.claim("worker", "cpu", 60)
    assert not is_idle(context)
    context.store.finish(queued.id, "worker", "done", result={})
    assert is_idle(context)


def test_a_port_that_is_taken_is_wrong_input(context: Context) -> None:
    callbacks = Callbacks(ready=lambda info: None, stop_wanted=lambda: True)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="cannot be used"):
        run_engine(context.config, taken.getsockname()[1], callbacks)
    assert not (context.config.home / "engine.json").exists()
