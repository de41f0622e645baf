"""Passwords, listening to others and sub-paths of a stand-in WebUI hold for the tab and its routes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser.protection import LOCKED, OPEN, SUBPATH, Protection
from browser.proxy import below as below_path
from browser.servers import Server, standin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KINDS = ["a1111", "forge"]


@pytest.fixture(scope="module", params=KINDS)
def locked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A WebUI with passwords."""
    made = standin(request.param, tmp_path_factory.mktemp(f"locked-{request.param}"), *LOCKED)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module", params=KINDS)
def below(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a WebUI below a path of a proxy."""
    made = standin(request.param, tmp_path_factory.mktemp(f"below-{request.param}"), *OPEN)
    made.start()
    with below_path(f"/{SUBPATH}", made.port) as address:
        yield address
    made.close()


class TestProtection(Protection):
    """On the stand-ins of the fixtures."""
