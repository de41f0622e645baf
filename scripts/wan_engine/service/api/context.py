"""What every route works with, handed over by the application."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Request

from wan_engine.home import RESTRICTED_HEADER
from wan_engine.service.api.problems import RequestError, not_found
from wan_engine.service.config import ServiceConfig
from wan_engine.service.devices import DeviceList
from wan_engine.service.downloads import Downloads
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.life import Life
from wan_engine.service.records import Job
from wan_engine.service.store import JobStore


@dataclass(frozen=True)
class Context:
    """The parts of a running engine that routes use.

    started: seconds since 1970.  encoder: held while a clip is turned into a small film, so that one is at a time.
    prober: the same for looking into uploads.
    """

    config: ServiceConfig
    store: JobStore
    hosts: HostsBoard
    life: Life
    devices: DeviceList = field(default_factory=DeviceList)
    downloads: Downloads = field(default_factory=Downloads)
    started: float = field(default_factory=time.time)
    encoder: asyncio.Lock = field(default_factory=asyncio.Lock)
    prober: asyncio.Lock = field(default_factory=asyncio.Lock)

    def job(self, job_id: str) -> Job:
        """The job of this id. Raises RequestError 404."""
        found = self.store.get(job_id)
        if found is None:
            raise no_such_job(job_id)
        return found


def no_such_job(job_id: str) -> Exception:
    """404 for a job."""
    return not_found(f"job {job_id}", "GET /wan/v1/jobs lists what is there")


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


@dataclass(frozen=True)
class _Visitor:
    """Who asks. restriction: why they may spend no money, as the WebUI says that forwarded the request."""

    restriction: str

    def may_spend(self) -> None:
        """Raise RequestError 403 for a visitor who may not use what costs money."""
        if self.restriction:
            raise RequestError(403, f"no paid service is used: {self.restriction}", "Choose one that costs nothing")


async def _visitor(request: Request) -> _Visitor:
    return _Visitor(request.headers.get(RESTRICTED_HEADER, ""))


Visitor = Annotated[_Visitor, Depends(_visitor)]
"""A route's parameter that says whether the request may spend money."""

UseContext = Annotated[Context, Depends(_context)]
"""A route's parameter that is filled with the context."""

JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Id of a job.", examples=["20260102-1a2b"])]
"""A route's parameter that names a job."""
