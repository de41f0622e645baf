"""What happened to a job: as a list, or as a stream of server-sent events until the job has ended."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from wan_engine.service.api.context import Context, JobId, UseContext
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import EventOut
from wan_engine.service.records import ENDED, JobEvent

router = APIRouter(tags=["jobs"])

POLL_SECONDS = 0.3
"""Between two looks for new events."""
KEEPALIVE_SECONDS = 15.0
"""After so long without an event a comment is sent, so that nobody between takes the stream for dead."""

_AT_ONCE = 200
_NUMBER = r"^[0-9]{1,15}$"
_STREAM = "text/event-stream"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": list[EventOut], "content": {_STREAM: {}}},
    204: {"description": "A stream: the job has ended and everything was told."},
    404: {},
}


@router.get("/jobs/{job_id}/events", responses=_ANSWERS)
async def job_events(
    job_id: JobId,
    context: UseContext,
    after: Annotated[int, Query(ge=0, le=10**15, description="Only events with higher numbers.")] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 1000,
    accept: Annotated[str, Header()] = "",
    last_event_id: Annotated[
        str | None, Header(pattern=_NUMBER, description="Goes before `after`, in a stream.")
    ] = None,
) -> Response:
    """The events of a job in order. With `Accept: text/event-stream` as a stream that ends with the job."""
    job = context.job(job_id)
    if _STREAM not in accept:
        return PlainJSON([event.as_dict() for event in context.store.events(job_id, after, limit)])
    start = int(last_event_id) if last_event_id else after
    if job.state in ENDED and not context.store.events(job_id, start, 1):
        return Response(status_code=204)  # tells a browser's EventSource not to come again
    return EventSourceResponse(_stream(context, job_id, start), headers={"Cache-Control": "no-store"})


async def _stream(context: Context, job_id: str, after: int) -> AsyncIterator[bytes]:
    """The events as they come. The state is read first, so that the last event is never missed."""
    quiet_since = time.monotonic()
    while True:
        job = context.store.get(job_id)
        events = context.store.events(job_id, after, _AT_ONCE)
        for event in events:
            after = event.number
            yield _told(event)
        if events:
            quiet_since = time.monotonic()
            continue
        if job is None or job.state in ENDED or context.life.stopping:
            return
        if time.monotonic() - quiet_since > KEEPALIVE_SECONDS:
            quiet_since = time.monotonic()
            yield KEEPALIVE_COMMENT
        await asyncio.sleep(POLL_SECONDS)


def _told(event: JobEvent) -> bytes:
    return format_sse_event(data_str=json.dumps(event.as_dict()), event=event.kind, id=str(event.number))
