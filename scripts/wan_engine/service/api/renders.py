"""The route by which films are asked for: checked and planned first, then queued, alone or as a batch."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from wan_engine.errors import InputError, Problem, WanError
from wan_engine.home import API_ROOT
from wan_engine.service.api.context import Context, UseContext, Visitor
from wan_engine.service.api.forms import ProjectFile, RenderInput
from wan_engine.service.api.jobs import summary
from wan_engine.service.api.problems import PlainJSON, RequestError, problem_values
from wan_engine.service.api.schemas import RendersOut
from wan_engine.service.orders import Wish, order_job, order_of_text, order_of_values
from wan_engine.service.records import NewJob
from wan_engine.service.story_orders import is_paid, render_job

router = APIRouter(tags=["jobs"])


@router.post("/renders", status_code=202, responses={202: {"model": RendersOut}, 503: {}, 507: {}})
def render(wanted: RenderInput, context: UseContext, visitor: Visitor) -> PlainJSON:
    """Queue films. Nothing is stored before everything that can be wrong with it was looked at.

    A storyboard's job makes the pictures that it lacks first.

    Of a batch, the files that are wrong are told in `errors` beside the jobs of the others; when all are wrong, the
    answer is 422.
    """
    if context.life.stopping:
        raise RequestError(503, "the engine is about to end", "Start it again: what is queued goes on then")
    batch = f"batch-{secrets.token_hex(6)}" if wanted.projects else ""
    wish = Wish(wanted.title, wanted.priority, batch)
    work = _Work(context, visitor, wish)
    new, errors = _batch(wanted.projects, work) if wanted.projects else ([_single(wanted, work)], [])
    jobs = context.store.add_batch(new)
    values = {"jobs": [summary(job) for job in jobs], "batch": batch, "errors": errors}
    return PlainJSON(values, 202, {"Location": f"{API_ROOT}/jobs/{jobs[0].id}"})


@dataclass(frozen=True)
class _Work:
    """What the jobs of one request have in common."""

    context: Context
    visitor: Visitor
    wish: Wish

    def job(self, text: str, name: str) -> NewJob:
        """The job of a project file."""
        config = self.context.config
        order = order_of_text(text, name, config)
        if is_paid(order.storyboard, None, "", "film"):
            self.visitor.may_spend()
        return render_job(order, self.wish, config)


def _single(wanted: RenderInput, work: _Work) -> NewJob:
    if wanted.settings is not None:
        config = work.context.config
        return order_job(order_of_values(wanted.settings, config), work.wish, config)
    assert wanted.project is not None
    return work.job(wanted.project, wanted.name)


def _batch(files: list[ProjectFile], work: _Work) -> tuple[list[NewJob], list[dict[str, Any]]]:
    new, errors = [], []
    for number, file in enumerate(files, start=1):
        name = file.name or f"file {number}"
        try:
            new.append(work.job(file.text, name))
        except WanError as error:
            errors.append(_named(error, name))
    if not new:
        raise InputError(problem for each in errors for problem in _problems_of(each))
    return new, errors


def _named(error: WanError, name: str) -> dict[str, Any]:
    """The problem document of one file's error; each of its problems names the file."""
    values = problem_values(error)
    if not values["problems"]:
        values["problems"] = [Problem(error.message, error.remedy, file=name).as_dict()]
    return values


def _problems_of(document: dict[str, Any]) -> list[Problem]:
    return [Problem(**values) for values in document["problems"]]
