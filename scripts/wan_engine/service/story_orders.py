"""What a client asks of storyboards becomes a job, checked before it is stored, and the job the work itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from wan_engine.errors import InputError, Problem
from wan_engine.film import find_lineup
from wan_engine.render.events import Event
from wan_engine.render.result import FilmResult
from wan_engine.schedule.project import project_from_values
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.schedule.storyboard_file import (
    storyboard_from_values,
    storyboard_to_values,
    with_picture_paths,
)
from wan_engine.service.allowed import OutsideError, check_output_folder, inside_roots
from wan_engine.service.borrowed import job_devices
from wan_engine.service.config import ServiceConfig
from wan_engine.service.orders import Order, Wish, definite, order_job
from wan_engine.service.records import AUTO, NewJob
from wan_engine.settings import SETTINGS
from wan_engine.settings_check import picture_settings_from_mapping
from wan_engine.settings_pictures import PAID_PROVIDERS
from wan_engine.storage.atomic import storage_error
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.names import timestring
from wan_engine.storage.places import check_free_space
from wan_engine.storyboard.keyframes.registry import make_provider
from wan_engine.storyboard.pictures import check_pictures, to_be_redone, with_seed
from wan_engine.storyboard.planner import Ask, Planned, Usage
from wan_engine.storyboard.services import load_services
from wan_engine.storyboard.story import (
    Desk,
    make_story_film,
    make_story_pictures,
    plan_story,
    planner_for,
)

FOLDER = "storyboards"
"""Folder for storyboards in the service's outputs."""
STORY_FILE = "story.yaml"

Upto = Literal["storyboard", "pictures", "film"]
"""How far a job goes."""


@dataclass(frozen=True)
class StoryOrder:
    """What a job does: plans `ask`, or begins with `storyboard`, and goes on up to `upto`. file: the storyboard's."""

    file: Path
    upto: Upto
    ask: Ask | None = None
    planner: str = ""
    storyboard: Storyboard | None = None

    def film_devices(self) -> str:
        """The film's setting `devices`; "" when no film is made."""
        story = self.ask or self.storyboard
        return str(story.film.get("devices", "")) if story is not None and self.upto == "film" else ""

    def as_settings(self) -> dict[str, Any]:
        """The order as a job's JSON-able settings."""
        return {
            "file": str(self.file),
            "upto": self.upto,
            "planner": self.planner,
            "ask": asdict(self.ask) if self.ask else None,
            "storyboard": storyboard_to_values(self.storyboard) if self.storyboard else None,
        }


@dataclass(frozen=True)
class StoryMade:
    """What a job made. film: None when it did not go so far.  usage: of its planner; None where that is not known."""

    storyboard: Storyboard
    film: FilmResult | None = None
    notes: tuple[str, ...] = ()
    usage: Usage | None = None


def story_order_of(settings: Mapping[str, Any]) -> StoryOrder:
    """What a job is to do. Raises InputError."""
    ask, story = settings["ask"], settings["storyboard"]
    if ask is not None:
        ask = Ask(**{**ask, "pictures": picture_settings_from_mapping(ask["pictures"])})
    return StoryOrder(
        Path(settings["file"]),
        settings["upto"],
        ask,
        settings["planner"],
        storyboard_from_values(story) if story else None,
    )


def work_on_story(order: StoryOrder, desk: Desk) -> StoryMade:
    """Do what is left of the order; what an earlier attempt finished is found on the disk."""
    folder = desk.file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error, "make the folder") from error
    desk.report(Event("story", str(folder)))
    with folder_lock(folder):
        return _worked(order, desk)


def _worked(order: StoryOrder, desk: Desk) -> StoryMade:
    planned: Planned | None = None
    if order.storyboard is not None:
        desk.save(order.storyboard)
    elif not desk.file.exists():
        assert order.ask is not None
        planned = plan_story(order.ask, order.planner, desk)
    if order.upto == "pictures":
        make_story_pictures(desk)
    film = make_story_film(desk) if order.upto == "film" else None
    story = desk.load().storyboard
    assert story is not None
    return StoryMade(story, film, *((planned.notes, planned.usage) if planned else ()))


def plan_job(ask: Ask, planner: str, upto: Upto, wish: Wish, config: ServiceConfig) -> NewJob:
    """The job that plans a storyboard, and goes on with it if asked. Raises InputError, OutsideError among it."""
    services = load_services(config.home)
    # A storyboard of one segment stands in for the one to come: so are its film and pictures checked.
    stand_in = {"segments": [{"prompt": "x", "seconds": 1}], "film": dict(ask.film)}
    film = _definite_film(storyboard_from_values(stand_in), config)
    ask = replace(ask, film=film)
    planner_for(planner, ask, services)
    if upto != "storyboard":
        make_provider(ask.pictures.provider, services).check()
    order = StoryOrder(_new_file(config), upto, ask, planner)
    title = " ".join(ask.text.split())
    return _job(order, "storyboard", film, title, wish, config)


def story_job(
    story: Storyboard, upto: Upto, wish: Wish, config: ServiceConfig, redo: Sequence[int] = (), file: str = ""
) -> NewJob:
    """The job that makes a storyboard's pictures, and its film if asked.

    redo: keyframes whose picture is made again.  file: an earlier job's, in whose folder it goes on: pictures that lie
    there are found again. Raises InputError, OutsideError among it, and what the film's models refuse.
    """
    roots = config.roots()
    story = with_picture_paths(story, lambda path: str(inside_roots(path, roots, "image")))
    story = with_seed(to_be_redone(story, redo))
    film = _definite_film(story, config)
    story = replace(story, film=film)
    settings = project_from_values(storyboard_to_values(story), config.outputs).settings
    find_lineup(settings)
    services = load_services(config.home)
    check_pictures(story, make_provider(story.pictures.provider, services))
    order = StoryOrder(_known_file(file, config) if file else _new_file(config), upto, storyboard=story)
    kind = "keyframes" if upto == "pictures" else "storyboard"
    return _job(order, kind, film, story.title or story.segments[0].prompt, wish, config)


def render_job(order: Order, wish: Wish, config: ServiceConfig) -> NewJob:
    """The job of a film: of a storyboard that lacks pictures one that makes them first. Raises as `order_job`."""
    if order.storyboard is not None and order.storyboard.missing():
        return story_job(order.storyboard, "film", wish, config)
    return order_job(order, wish, config)


def is_paid(story: Storyboard | None, ask: Ask | None, planner: str, upto: Upto) -> bool:
    """Whether a job would ask a service that costs money."""
    pictures = story.pictures if story is not None else ask.pictures if ask is not None else None
    makes = upto != "storyboard" and (story is None or bool(story.missing()))
    return planner == "llm" or (makes and pictures is not None and pictures.provider in PAID_PROVIDERS)


def _definite_film(story: Storyboard, config: ServiceConfig) -> dict[str, Any]:
    """The film's settings as they stand in a job: seed drawn, paths whole and inside the allowed folders."""
    values = {**storyboard_to_values(story), "pictures": {}}
    settings = definite(project_from_values(values, config.outputs).settings, config)
    check_output_folder(Path(settings.output_dir))
    named = {*story.film, "output_dir", "model_dirs", "seed"}
    return {name: getattr(settings, name) for name in SETTINGS if name in named}


def _new_file(config: ServiceConfig) -> Path:
    return config.outputs / FOLDER / f"{timestring(datetime.now())}-{secrets.token_hex(4)}" / STORY_FILE


def _known_file(file: str, config: ServiceConfig) -> Path:
    found = inside_roots(file, config.roots(), "file")
    if found.name != STORY_FILE or not found.is_relative_to((config.outputs / FOLDER).resolve()):
        remedy = "Give the file that an earlier job's result names, or none"
        raise OutsideError(Problem("it is no storyboard of the engine's", remedy, field="file"))
    if not found.is_file():
        raise InputError(Problem("it is not there", "Leave it out to begin a new one", field="file"))
    return found


def _job(
    order: StoryOrder, kind: str, film: Mapping[str, Any], title: str, wish: Wish, config: ServiceConfig
) -> NewJob:
    check_free_space(config.outputs, config.min_free_bytes)
    # Planning, and pictures that others make, do not wait for films on the GPU.
    local = order.upto == "film" or (order.storyboard is not None and order.storyboard.pictures.provider == "sd3")
    wanted = job_devices(order.film_devices(), str(film.get("device", AUTO)))
    return NewJob(
        settings=order.as_settings(),
        title=wish.title or title[:80],
        batch=wish.batch,
        priority=wish.priority,
        device=wanted[0] if local else "cpu",
        kind=kind,
    )
