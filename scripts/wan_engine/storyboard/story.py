"""The front page of storyboards: a long prompt becomes a storyboard's file, that its pictures, those a film.

planned = plan_story(ask, "splitter", desk)         writes the storyboard's file
story = make_story_pictures(desk)                   makes the pictures that are missing, beside the file
made = make_story_film(desk)                        the film, by keyframes

Each step begins with what is on disk, so that all three can be called again after a crash and do only what is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from wan_engine.errors import InputError, Problem
from wan_engine.executors.registry import devices_of
from wan_engine.film import find_lineup
from wan_engine.keyframes import make_keyframe_film
from wan_engine.plan.canvas import choose_canvas
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.render.result import FilmResult
from wan_engine.schedule.project import Project, load_project, project_from_values
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.schedule.storyboard_file import relative_to, storyboard_to_text, storyboard_to_values
from wan_engine.settings import Settings
from wan_engine.storage.atomic import storage_error, write_text
from wan_engine.storyboard.keyframes.registry import make_provider
from wan_engine.storyboard.lengths import lengths_for
from wan_engine.storyboard.pictures import PictureWork, check_pictures, make_pictures, with_seed
from wan_engine.storyboard.planner import Ask, Estimate, Planned, Planner, PlanningFailed, Usage
from wan_engine.storyboard.planners import make_planner
from wan_engine.storyboard.services import Service
from wan_engine.words import counted

_PARTIAL_SECONDS = 0.5
"""Least time between two storyboards that are told while one is planned."""


@dataclass(frozen=True)
class Desk:
    """Where one storyboard is worked on, and with what.

    file: the storyboard, YAML; its pictures go into `<name>_pictures` beside it.  devices: where local models run, the
    pictures' on the first; () for the settings' own.  webui_free: returns when the WebUI may use its memory for a
    picture.
    """

    file: Path
    services: Mapping[str, Service]
    report: Report = field(default=lambda _event: None)
    cancelled: CancelCheck = field(default=lambda: False)
    devices: Sequence[str] = ()
    webui_free: Callable[[], None] = field(default=lambda: None)

    @property
    def part(self) -> Path:
        """Where the whole segments of a storyboard go whose planning failed."""
        return self.file.with_name(f"{self.file.stem}_part.yaml")

    @property
    def pictures(self) -> Path:
        """Folder of the pictures."""
        return self.file.with_name(f"{self.file.stem}_pictures")

    def load(self) -> Project:
        """The storyboard and the film it asks for. Raises InputError, also for a file that is something else."""
        project = load_project(self.file)
        if project.storyboard is None:
            remedy = "Give a file of kind: storyboard"
            raise InputError(Problem("it is no storyboard", remedy, field="kind", file=str(self.file)))
        return project

    def save(self, story: Storyboard) -> None:
        """Write the storyboard, whole or not at all. Raises StorageError."""
        _write(self.file, story)


def planner_for(name: str, ask: Ask, services: Mapping[str, Service]) -> Planner:
    """The planner, told how long the film's model makes segments. Raises as the checks of `ask` and its film do."""
    ask.check()
    settings = checked_film(ask)
    return make_planner(name, lengths_for(settings, find_lineup(settings)), services)


def checked_film(ask: Ask) -> Settings:
    """The film's settings of an ask, checked before anything is spent. Raises InputError."""
    values = {"kind": "storyboard", "segments": [{"prompt": "x", "seconds": 1}], "film": dict(ask.film)}
    return project_from_values(values, Path.cwd()).settings


def estimate_story(ask: Ask, planner: str, services: Mapping[str, Service]) -> Estimate:
    """What planning would take; asks no service."""
    return planner_for(planner, ask, services).estimate(ask)


def plan_story(ask: Ask, planner: str, desk: Desk) -> Planned:
    """Plan a storyboard and write its file. Of one that fails in the middle the whole segments are written.

    Raises InputError, Cancelled, StorageError and PlanningFailed, which then says where they are.
    """
    made = planner_for(planner, ask, desk.services)
    _make_folder(desk.file.absolute().parent)
    desk.report(Event("planning", f"Planning with {made.name}"))
    told = 0.0

    def partial(story: Storyboard) -> None:
        nonlocal told
        if time.monotonic() - told >= _PARTIAL_SECONDS:
            told = time.monotonic()
            desk.report(_storyboard_event(story))

    try:
        planned = made.plan(ask, partial, desk.cancelled)
    except PlanningFailed as error:
        _tell_usage(desk, error.usage)
        if error.part is None:
            raise
        desk.report(_storyboard_event(error.part))
        _write(desk.part, error.part)
        words = f"{error.message}; the segments that came whole ({len(error.part.segments)}) are kept in {desk.part}"
        raise PlanningFailed(words, error.remedy, error.part, error.usage) from error
    planned = replace(planned, storyboard=with_seed(planned.storyboard))
    desk.save(planned.storyboard)
    desk.report(_storyboard_event(planned.storyboard))
    _tell_usage(desk, planned.usage)
    for note in planned.notes:
        desk.report(Event("note", note))
    return planned


def _tell_usage(desk: Desk, usage: Usage | None) -> None:
    if usage is not None:
        desk.report(Event("usage", usage.words, data=asdict(usage)))


def _storyboard_event(story: Storyboard) -> Event:
    message = f"Storyboard: {counted(len(story.segments), 'segment')}, {story.seconds:g} s"
    return Event("storyboard", message, data={"storyboard": storyboard_to_values(story)})


def make_story_pictures(desk: Desk, changed: Storyboard | None = None) -> Storyboard:
    """Make the pictures that the storyboard lacks; its file names each as soon as it is there.

    changed: what the file is to become first, if nothing is wrong with it. Raises InputError before anything is made or
    written, ProviderError after all that can be made is.
    """
    project = desk.load()
    kept = project.storyboard
    story = changed or kept
    assert story is not None
    provider = make_provider(story.pictures.provider, desk.services, (desk.devices or devices_of(project.settings))[0])
    try:
        check_pictures(story, provider)
        find_lineup(project.settings)
        seeded = with_seed(story) if story.missing() else story
        if seeded != kept:
            desk.save(seeded)
        if not seeded.missing():
            return seeded
        width, height = film_size(project.settings)
        ready = desk.webui_free if provider.asks_webui else lambda: None
        work = PictureWork(provider, desk.pictures, width, height, desk.report, desk.cancelled, desk.save, ready)
        if provider.local:
            desk.report(Event("memory_wanted", "The pictures' model needs the device's memory"))
        return make_pictures(seeded, work)
    finally:
        provider.close()


def make_story_film(desk: Desk) -> FilmResult:
    """The storyboard's film: pictures that are missing first, then segment after segment between them.

    A film with the same settings that was begun before is gone on with. Raises whatever both steps raise.
    """
    make_story_pictures(desk)
    project = desk.load()
    return make_keyframe_film(project.settings, desk.report, desk.cancelled, devices=desk.devices)


def film_size(settings: Settings) -> tuple[int, int]:
    """Width and height of the film in pixels, as its models can make it."""
    canvas = choose_canvas(settings, find_lineup(settings).families)
    return canvas.width, canvas.height


def _write(file: Path, story: Storyboard) -> None:
    write_text(file, storyboard_to_text(relative_to(story, file.absolute().parent)))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error, "make the folder") from error
