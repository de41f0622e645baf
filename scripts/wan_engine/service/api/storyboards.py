"""Routes of storyboards: split or plan a long prompt, look at a storyboard, have its pictures made."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

from fastapi import APIRouter

from wan_engine.errors import InputError, Problem
from wan_engine.home import API_ROOT
from wan_engine.schedule.project import project_from_text, project_from_values
from wan_engine.schedule.storyboard import Storyboard, keyframe_prompt, segment_prompt
from wan_engine.schedule.storyboard_file import KIND, storyboard_to_text, storyboard_to_values
from wan_engine.service.api.context import Context, UseContext, Visitor
from wan_engine.service.api.jobs import summary
from wan_engine.service.api.problems import PlainJSON, RequestError
from wan_engine.service.api.schemas import JobSummary
from wan_engine.service.api.story_forms import (
    AskInput,
    EnhanceInput,
    EstimateInput,
    KeyframesInput,
    PlanStoryInput,
    StoryInput,
)
from wan_engine.service.api.story_schemas import EnhanceOut, EstimateOut, ServiceOut, StoryOut
from wan_engine.service.host_pictures import webui_lacks
from wan_engine.service.orders import Wish
from wan_engine.service.records import NewJob
from wan_engine.service.story_orders import is_paid, plan_job, story_job
from wan_engine.storyboard.llm.client import LlmClient
from wan_engine.storyboard.llm.planner import enhanced
from wan_engine.storyboard.offers import estimate_pictures, offers
from wan_engine.storyboard.pictures import to_be_redone
from wan_engine.storyboard.planner import PlanningFailed
from wan_engine.storyboard.services import load_services
from wan_engine.storyboard.splitter import Splitter
from wan_engine.storyboard.story import estimate_story, planner_for

router = APIRouter(tags=["storyboards"])


@router.post("/storyboards/split", responses={200: {"model": StoryOut}})
def split_text(asked: AskInput, context: UseContext) -> PlainJSON:
    """The storyboard that the text's own sentences, scenes and durations make, at once and without a service."""
    ask = asked.ask()
    planner = planner_for(Splitter.name, ask, {})
    planned = planner.plan(ask, lambda _story: None, lambda: False)
    return PlainJSON(_told(planned.storyboard, list(planned.notes)))


@router.post("/storyboards/read", responses={200: {"model": StoryOut}})
def read_storyboard(given: StoryInput, context: UseContext) -> PlainJSON:
    """A storyboard checked and written out, with the words that its models get and the pictures that it lacks."""
    story, notes = _story(given, context)
    return PlainJSON(_told(story, notes))


@router.post("/storyboards/estimate", responses={200: {"model": EstimateOut}})
def estimate(asked: EstimateInput, context: UseContext) -> PlainJSON:
    """What planning a text would take of tokens and money, and what its pictures would; asks no service."""
    services = load_services(context.config.home)
    ask = asked.ask()
    found = estimate_story(ask, asked.planner, services)
    pictures = estimate_pictures(ask.pictures.provider, found.segments + 1, services)
    return PlainJSON({**asdict(found), "pictures": asdict(pictures)})


@router.post("/storyboards/enhance", responses={200: {"model": EnhanceOut}, 502: {}})
def enhance(asked: EnhanceInput, context: UseContext, visitor: Visitor) -> PlainJSON:
    """A single prompt with more of what is seen, by the planner's service."""
    visitor.may_spend()
    client = LlmClient(load_services(context.config.home)["planner"])
    try:
        return PlainJSON({"prompt": enhanced(client, asked.prompt)})
    except PlanningFailed as error:
        raise RequestError(502, error.message, error.remedy) from error


@router.post("/storyboards", status_code=202, responses={202: {"model": JobSummary}, 503: {}, 507: {}})
def plan_storyboard(asked: PlanStoryInput, context: UseContext, visitor: Visitor) -> PlainJSON:
    """Queue the planning of a long prompt; with `upto` also its pictures and its film.

    Its events of the kind `storyboard` hold the storyboard as far as it is planned.
    """
    ask = asked.ask()
    if is_paid(None, ask, asked.planner, asked.upto):
        visitor.may_spend()
    wish = Wish(asked.title, asked.priority)
    return _queued(context, plan_job(ask, asked.planner, asked.upto, wish, context.config))


@router.post("/keyframes", status_code=202, responses={202: {"model": JobSummary}, 503: {}, 507: {}})
def make_keyframes(asked: KeyframesInput, context: UseContext, visitor: Visitor) -> PlainJSON:
    """Queue the making of a storyboard's missing pictures, and of those in `redo`; with `upto` also its film.

    Locked keyframes stay. The job's `result` names the file and holds the storyboard with its pictures, which
    `GET /files` serves.
    """
    story, _ = _story(asked, context)
    if is_paid(to_be_redone(story, asked.redo), None, "", asked.upto):
        visitor.may_spend()
    wish = Wish(asked.title, asked.priority)
    return _queued(context, story_job(story, asked.upto, wish, context.config, asked.redo, asked.file))


@router.get("/services", responses={200: {"model": list[ServiceOut]}})
def list_services(context: UseContext) -> PlainJSON:
    """Who can plan and who can make pictures, and what each lacks. No key is shown."""
    services = load_services(context.config.home)
    return PlainJSON([asdict(offer) for offer in offers(services, webui_lacks(services, context.hosts))])


def _queued(context: Context, new: NewJob) -> PlainJSON:
    if context.life.stopping:
        raise RequestError(503, "the engine is about to end", "Start it again: what is queued goes on then")
    job = context.store.add(new)
    return PlainJSON(summary(job), 202, {"Location": f"{API_ROOT}/jobs/{job.id}"})


def _story(given: StoryInput, context: Context) -> tuple[Storyboard, list[str]]:
    """The storyboard of a request's body, and the notes on its film. Raises InputError."""
    if given.storyboard is not None:
        project = project_from_values({**given.storyboard, "kind": KIND}, context.config.outputs)
    else:
        assert given.project is not None
        project = project_from_text(given.project, given.name)
    if project.storyboard is None:
        raise InputError(Problem("it is no storyboard", f"Give a file of kind: {KIND}", "kind", file=given.name))
    return project.storyboard, list(project.notes)


def _told(story: Storyboard, notes: list[str]) -> dict[str, Any]:
    starts = story.starts()
    segments = [
        {"number": number, "start": start, "end": end, "prompt": segment_prompt(story, number - 1)}
        for number, (start, end) in enumerate(pairwise(starts), 1)
    ]
    keyframes = [
        {
            "number": number,
            "seconds": starts[number],
            "prompt": keyframe_prompt(story, number),
            "image": keyframe.image,
            "locked": keyframe.locked,
        }
        for number, keyframe in enumerate(story.keyframes)
    ]
    return {
        "storyboard": storyboard_to_values(story),
        "project": storyboard_to_text(story),
        "seconds": story.seconds,
        "segments": segments,
        "keyframes": keyframes,
        "missing": list(story.missing()),
        "notes": notes,
    }
