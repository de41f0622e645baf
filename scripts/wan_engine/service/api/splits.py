"""The route by which films are asked to be split into scenes."""

from __future__ import annotations

from fastapi import APIRouter

from wan_engine.home import API_ROOT
from wan_engine.service.api.context import UseContext
from wan_engine.service.api.forms import SplitInput
from wan_engine.service.api.jobs import summary
from wan_engine.service.api.problems import PlainJSON, RequestError
from wan_engine.service.api.schemas import JobSummary
from wan_engine.service.orders import Wish
from wan_engine.service.split_orders import split_job

router = APIRouter(tags=["scenes"])


@router.post("/splits", status_code=202, responses={202: {"model": JobSummary}, 503: {}, 507: {}})
def split(wanted: SplitInput, context: UseContext) -> PlainJSON:
    """Queue a split: scenes are found, listed and cut into files; with the setting `list_only` not cut.

    With `scenes` these are cut in place of those that are found. The job's `result` names the list of each film, which
    `GET /files` serves.
    """
    if context.life.stopping:
        raise RequestError(503, "the engine is about to end", "Start it again: what is queued goes on then")
    wish = Wish(wanted.title, wanted.priority)
    job = context.store.add(split_job(wanted.films, wanted.settings, wanted.scenes, wish, context.config))
    return PlainJSON(summary(job), 202, {"Location": f"{API_ROOT}/jobs/{job.id}"})
