"""Routes that plan what would be made of settings or of a project file, and that read and write project files."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter

from wan_engine.plan.model import plan_to_json
from wan_engine.schedule.deforum_export import deforum_file
from wan_engine.schedule.film_schedule import FilmSchedule, read_schedule
from wan_engine.schedule.keyed import NumberSchedule
from wan_engine.schedule.project import project_from_text, project_to_text, settings_from_values
from wan_engine.schedule.prompt_rows import prompt_rows
from wan_engine.schedule.timeline import Timeline
from wan_engine.service.allowed import settings_inside
from wan_engine.service.api.context import Context, UseContext
from wan_engine.service.api.forms import ExportInput, FilmInput, ImportInput, ValuesInput
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import ExportOut, ImportOut, PlanOut, PromptsOut, ValuesOut
from wan_engine.service.orders import Order, order_memory, order_of_text, order_of_values, order_plan
from wan_engine.settings import settings_to_mapping
from wan_engine.settings_check import settings_from_mapping

router = APIRouter(tags=["planning"])

_PICTURES = ("guided_images", "end_image")
"""Settings that hold the pictures of a keyframe project."""


def read_order(film: FilmInput, context: Context) -> Order:
    """The order of a request's body."""
    if film.settings is not None:
        return order_of_values(film.settings, context.config)
    assert film.project is not None
    return order_of_text(film.project, film.name, context.config)


@router.post("/plans", responses={200: {"model": PlanOut}})
def plan(film: FilmInput, context: UseContext) -> PlainJSON:
    """What would be made: clips with frames, prompts and seeds. A seed of -1 is drawn: plan and settings hold it."""
    order = read_order(film, context)
    planned = order_plan(order)
    return PlainJSON(
        {
            "plan": plan_to_json(planned) | {"memory": order_memory(order, planned)},
            "prompts": _rows(read_schedule(order.settings)),
            "notes": [*order.notes, *planned.notes],
            "settings": settings_to_mapping(order.settings),
        }
    )


@router.post("/prompts", responses={200: {"model": PromptsOut}})
def prompts(film: FilmInput, context: UseContext) -> PlainJSON:
    """Each prompt as the model gets it, with its frames and seconds. No model is needed."""
    order = read_order(film, context)
    schedule = read_schedule(order.settings, order.name)
    return PlainJSON(
        {
            "frames": order.settings.max_frames,
            "fps": float(order.settings.film_fps),
            "prompts": _rows(schedule),
            "notes": [*order.notes, *schedule.notes],
        }
    )


def _rows(schedule: FilmSchedule) -> list[dict[str, Any]]:
    return [asdict(row) for row in prompt_rows(schedule)]


@router.post("/values", responses={200: {"model": ValuesOut}})
def values(wanted: ValuesInput) -> PlainJSON:
    """A numeric schedule's value at each frame."""
    settings = settings_from_mapping({"max_frames": wanted.max_frames, "seed": wanted.seed, "fps": wanted.fps})
    timeline = Timeline(settings.max_frames, settings.film_fps, settings.seed)
    numbers = NumberSchedule.parse(wanted.schedule, timeline, "schedule")
    return PlainJSON({"values": numbers.values(), "notes": list(numbers.notes)})


@router.post("/imports", responses={200: {"model": ImportOut}})
def read_project(file: ImportInput, context: UseContext) -> PlainJSON:
    """The settings that a project file asks for: JSON, YAML, Deforum's settings, one prompt a line.

    `parts` is what a keyframe project says in its own words; its pictures may be named from the file's own folder, so
    they are left as written, and looked at when the film is planned.
    """
    project = project_from_text(file.project, file.name, movement=file.movement)
    kept = {name: getattr(project.settings, name) for name in _PICTURES} if project.parts else {}
    checked = replace(project.settings, **{name: type(value)() for name, value in kept.items()})
    settings = replace(settings_inside(checked, context.config.roots()), **kept)
    values = {"settings": settings_to_mapping(settings), "kind": project.kind, "parts": dict(project.parts)}
    return PlainJSON({**values, "notes": list(project.notes)})


@router.post("/exports", responses={200: {"model": ExportOut}})
def write_project(given: ExportInput) -> PlainJSON:
    """The text of a project file, or of a settings file for Deforum, that reads back to these settings."""
    settings = settings_from_values(given.settings)
    if given.form == "project":
        return PlainJSON({"text": project_to_text(settings), "notes": []})
    return PlainJSON(asdict(deforum_file(settings)))
