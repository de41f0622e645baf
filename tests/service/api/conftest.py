"""An engine's application in this process, with the folders of a fresh state, and a client that has its token."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from api_samples import FOX, ROOT, TOKEN
from service_samples import QUICK, quick_config
from wan_engine.home import TOKEN_HEADER
from wan_engine.service.api.app import make_app
from wan_engine.service.api.context import Context
from wan_engine.service.api.security import GuardLimits
from wan_engine.service.config import ServiceConfig
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.life import Life
from wan_engine.service.store import JobStore
from wan_engine.service.worker import Wishes, Worker


@pytest.fixture
def config(tmp_path: Path) -> ServiceConfig:
    """The set-up of an engine whose uploads are small."""
    config = quick_config(
        tmp_path,
        model_roots=(tmp_path / "models",),
        allowed=(tmp_path / "inputs",),
        max_upload_bytes=2_000_000,
        min_free_bytes=1_000_000,
        timing=replace(QUICK, worker_idle=0.05),
    )
    for folder in (config.outputs, *config.model_roots, *config.allowed):
        folder.mkdir()
    return config


@pytest.fixture
def context(config: ServiceConfig) -> Iterator[Context]:
    """The parts of the engine."""
    store = JobStore(config.database)
    yield Context(config, store, HostsBoard(store.database), Life())
    store.close()


@pytest.fixture
def app(context: Context) -> FastAPI:
    """The application; slow bodies are given up after a short while."""
    return make_app(context, TOKEN, GuardLimits(context.config.max_upload_bytes, body_seconds=1.0))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client with the token."""
    with TestClient(app, base_url="http://127.0.0.1:1", headers={TOKEN_HEADER: TOKEN}) as client:
        yield client


@pytest.fixture
def film(client: TestClient, config: ServiceConfig) -> dict[str, Any]:
    """The job of a film that was rendered by a worker, with its clips and pictures kept."""
    wanted = {"settings": {**FOX, "save_frames": True, "keep_clips": True}, "title": "fox"}
    job_id = client.post(f"{ROOT}/renders", json=wanted).json()["jobs"][0]["id"]
    Worker(config, "cpu", True, Wishes()).run()
    job: dict[str, Any] = client.get(f"{ROOT}/jobs/{job_id}").json()
    assert job["state"] == "done", job["error"]
    return job


@pytest.fixture
def port(app: FastAPI) -> Iterator[int]:
    """The application behind a real server on loopback, for what a client in the same process cannot do."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, name="test-server")
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()
