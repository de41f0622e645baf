"""Routes of the queue: list, look at, put forward, cancel, resume and forget jobs."""

from __future__ import annotations

import os
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from wan_engine.service.api.context import JobId, UseContext, no_such_job
from wan_engine.service.api.forms import PriorityInput
from wan_engine.service.api.problems import PlainJSON, RequestError, not_found
from wan_engine.service.api.schemas import JobOut, JobsOut, JobState
from wan_engine.service.records import Job
from wan_engine.service.retention import forget

router = APIRouter(tags=["jobs"])

_LOG_BYTES = 2**20
"""Of a log file the last megabyte is told."""


def summary(job: Job) -> dict[str, Any]:
    """A job as JSON-able values, without its settings, which may be megabytes of prompts."""
    return {name: value for name, value in job.as_dict().items() if name != "settings"}


@router.get("/jobs", responses={200: {"model": JobsOut}})
async def list_jobs(
    context: UseContext,
    state: Annotated[list[JobState], Query(description="Only jobs in these states.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Only older ones.")] = None,
) -> PlainJSON:
    """The jobs, the newest first, without their settings. `before`: the last job of the page before."""
    jobs = context.store.list(state, limit, before)
    return PlainJSON({"jobs": [summary(job) for job in jobs], "counts": context.store.counts()})


@router.get("/jobs/{job_id}", responses={200: {"model": JobOut}, 404: {}})
async def show_job(job_id: JobId, context: UseContext) -> PlainJSON:
    """One job with its settings."""
    return PlainJSON(context.job(job_id).as_dict())


@router.patch("/jobs/{job_id}", responses={200: {"model": JobOut}, 404: {}})
def change_job(job_id: JobId, wanted: PriorityInput, context: UseContext) -> PlainJSON:
    """Change a job's place in the queue."""
    return _found(context.store.set_priority(job_id, wanted.priority), job_id)


@router.post("/jobs/{job_id}/cancel", responses={200: {"model": JobOut}, 404: {}})
def cancel_job(job_id: JobId, context: UseContext) -> PlainJSON:
    """Stop a job: a waiting one at once, a running one within a step. What is finished is kept. An ended one stays."""
    return _found(context.store.cancel(job_id), job_id)


@router.post("/jobs/{job_id}/resume", responses={200: {"model": JobOut}, 404: {}, 409: {}})
def resume_job(job_id: JobId, context: UseContext) -> PlainJSON:
    """Queue a failed or cancelled job again: its film goes on where it stopped."""
    job = context.store.resume(job_id)
    if job is None:
        state = context.job(job_id).state
        raise RequestError(409, f"the job is {state}", "Failed and cancelled jobs can be resumed")
    return PlainJSON(job.as_dict())


@router.delete("/jobs/{job_id}", status_code=204, responses={404: {}, 409: {}})
def delete_job(job_id: JobId, context: UseContext) -> Response:
    """Forget a job: its record, log and previews. Its film stays."""
    if not forget(context.config, context.store, job_id):
        state = context.job(job_id).state
        raise RequestError(409, f"the job is {state}", "Cancel it first")
    return Response(status_code=204)


@router.get("/jobs/{job_id}/log", responses={200: {"content": {"text/plain": {}}}, 404: {}}, response_class=Response)
def job_log(job_id: JobId, context: UseContext) -> Response:
    """What the job's worker wrote, the last megabyte of it."""
    context.job(job_id)
    path = context.config.log(job_id)
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
            text = file.read(_LOG_BYTES)
    except FileNotFoundError as error:
        raise not_found("log yet", "It begins when the job begins") from error
    return Response(text, media_type="text/plain; charset=utf-8")


@router.get(
    "/jobs/{job_id}/preview", responses={200: {"content": {"image/jpeg": {}}}, 404: {}}, response_class=Response
)
def job_preview(job_id: JobId, context: UseContext) -> Response:
    """The latest preview picture, JPEG; the job's `preview_number` changes with each new one."""
    context.job(job_id)
    try:
        # Read at once: the worker puts the next one in its place at any moment.
        data = context.config.preview(job_id).read_bytes()
    except FileNotFoundError as error:
        raise not_found("preview yet", "One comes with the first steps") from error
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _found(job: Job | None, job_id: str) -> PlainJSON:
    if job is None:
        raise no_such_job(job_id)
    return PlainJSON(job.as_dict())
