"""A hub on loopback, found by the environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub_server import HubServer, hub_server


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The hub that downloads ask."""
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server
