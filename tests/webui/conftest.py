"""An engine that answers the tab's handlers, without workers: jobs stay in the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wan_engine.service.api.app import make_app
from wan_engine.service.api.context import Context
from wan_engine.service.config import ServiceConfig
from wan_engine.service.devices import Device, DeviceList
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.life import Life
from wan_engine.service.store import JobStore
from wan_webui import services
from wan_webui.client import EngineClient
from wan_webui.hosts import Alone
from webui.small_engine import leave_info, served

TOKEN = "a-token-of-this-start"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of an engine that answers; it has no workers, so jobs stay in the queue."""
    folder = tmp_path_factory.mktemp("home")
    config = ServiceConfig(folder, folder / "outputs", min_free_bytes=0)
    for each in (config.outputs, config.uploads):
        each.mkdir()
    store = JobStore(config.database)
    devices = DeviceList(lambda: (Device("cpu", "the CPU", 0),))
    context = Context(config=config, store=store, hosts=HostsBoard(store.database), life=Life(), devices=devices)
    with served(make_app(context, TOKEN)) as port:
        leave_info(folder, port, TOKEN)
        yield folder


@pytest.fixture
def client(home: Path) -> EngineClient:
    return services.use(Alone(home / "outputs", home=home)).client
