"""Runs an engine from its first moment to its last: the API on loopback, the workers' supervisor, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvicorn

from wan_engine import __version__
from wan_engine.errors import InputError, Problem
from wan_engine.home import EngineInfo
from wan_engine.service.api.app import make_app
from wan_engine.service.api.context import Context
from wan_engine.service.config import ServiceConfig, write_config
from wan_engine.service.devices import DeviceList
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.life import Life, forget_info, new_token, only_engine, write_info
from wan_engine.service.store import JobStore
from wan_engine.service.supervisor import Supervisor
from wan_engine.storage.atomic import remove_leftovers

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
"""Between two looks whether to end."""
_GRACE_SECONDS = 5
"""Answers that are being sent have so long at the end."""
_KEEP_ALIVE_SECONDS = 30
"""A connection without a request is closed after it; pages that ask every second keep theirs."""


@dataclass(frozen=True)
class Callbacks:
    """What a server asks and tells. ready: told how the engine is reached, once it answers.  wanted: stop now?"""

    ready: Callable[[EngineInfo], None]
    stop_wanted: Callable[[], bool]


def run_engine(config: ServiceConfig, port: int, callbacks: Callbacks) -> None:
    """Be the engine of this state folder until it is stopped or idle. port: 0 takes a free one.

    Raises AlreadyRunning, InputError for a port that is taken, StorageError.
    """
    with only_engine(config.home), _listening(port) as listener:
        write_config(config)
        remove_leftovers(config.uploads)
        store, devices = JobStore(config.database), DeviceList()
        context = Context(config, store, HostsBoard(store.database), Life(), devices)
        supervisor = Supervisor(config, store, devices)
        try:
            supervisor.start()
            asyncio.run(_answer(context, listener, callbacks))
        finally:
            forget_info(config.home)
            context.downloads.stop()
            supervisor.stop()
            store.close()


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    # asyncio sends small answers at once only on sockets that name TCP; else each would wait 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if os.name != "nt":  # there it would let another program take the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            problem = Problem(f"port {port} cannot be used ({error})", "Give another one, or 0 for any", field="--port")
            raise InputError(problem) from error
        yield listener


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to whoever runs the engine."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


async def _answer(context: Context, listener: socket.socket, callbacks: Callbacks) -> None:
    """Answer requests until the end; then take no more, and let what is being answered be finished."""
    token = new_token()
    server = _Server(
        uvicorn.Config(
            make_app(context, token),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    answering = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not answering.done():
        await asyncio.sleep(0.01)
    if server.started:
        info = EngineInfo(listener.getsockname()[1], token, os.getpid(), __version__)
        write_info(context.config.home, info)
        logger.info("The engine %s answers at %s", __version__, info.address)
        callbacks.ready(info)
        await _until_the_end(context, callbacks, answering)
    server.should_exit = True
    await answering


async def _until_the_end(context: Context, callbacks: Callbacks, answering: asyncio.Task[None]) -> None:
    while not (context.life.stopping or answering.done()):
        await asyncio.sleep(_LOOK_SECONDS)
        if callbacks.stop_wanted():
            logger.info("The engine is stopped")
            context.life.stop()
        elif is_idle(context):
            logger.info("The engine ends, for nobody wants anything")
            context.life.stop()


def is_idle(context: Context) -> bool:
    """Whether nobody has asked anything for the set time, and no job waits or runs."""
    minutes = context.config.idle_minutes
    if not minutes or context.life.idle_seconds() < minutes * 60:
        return False
    counts = context.store.counts()
    return counts["queued"] + counts["running"] == 0
