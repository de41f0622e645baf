"""What tests of the service share: a clock, a store, a quick set-up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service_samples import Clock, quick_config
from wan_engine.service.config import ServiceConfig
from wan_engine.service.store import JobStore


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[JobStore]:
    """A store whose time the test moves."""
    opened = JobStore(tmp_path / "jobs.sqlite3", clock)
    yield opened
    opened.close()


@pytest.fixture
def config(tmp_path: Path) -> ServiceConfig:
    return quick_config(tmp_path)


@pytest.fixture
def queue(config: ServiceConfig) -> Iterator[JobStore]:
    """The store of the set-up, in real time."""
    opened = JobStore(config.database)
    yield opened
    opened.close()
