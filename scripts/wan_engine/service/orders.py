"""What a client asks for becomes jobs: checked and planned completely before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from wan_engine.errors import InputError
from wan_engine.film import check_film, film_memory, plan_film
from wan_engine.plan.model import Plan
from wan_engine.schedule.loras import TAG
from wan_engine.schedule.project import project_from_text, settings_from_values
from wan_engine.schedule.prompt_text import NEGATIVE
from wan_engine.schedule.seeds import fixed_seed
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.service.allowed import check_output_folder, settings_inside
from wan_engine.service.borrowed import job_devices
from wan_engine.service.config import ServiceConfig
from wan_engine.service.records import NewJob
from wan_engine.setting_spec import path_lines
from wan_engine.settings import Settings, settings_to_mapping
from wan_engine.storage.places import check_free_space

_TITLE_LENGTH = 80


@dataclass(frozen=True)
class Order:
    """A film that a client asks for.

    settings: definite: its seed drawn, every path whole and inside the allowed folders, an output folder, the service's
    folders of models.
    notes: from reading it.  name: of the file it came in, "" for none.
    storyboard: what the settings were made of, if the file is one.
    """

    settings: Settings
    notes: tuple[str, ...] = ()
    name: str = ""
    storyboard: Storyboard | None = None

    def title(self) -> str:
        """What the film is called if nobody says: its file's name, else its first words."""
        prompt = next(iter(self.settings.prompts.values()), "").partition(NEGATIVE)[0]
        words = PurePath(self.name).stem or " ".join(re.sub(TAG, " ", prompt).split())
        return words if len(words) <= _TITLE_LENGTH else words[: _TITLE_LENGTH - 1] + "…"


@dataclass(frozen=True)
class Wish:
    """How jobs are put into the queue. title: "" for the order's own.  batch: shared by jobs sent together."""

    title: str = ""
    priority: int = 0
    batch: str = ""


def order_of_values(values: Mapping[str, Any], config: ServiceConfig) -> Order:
    """An order by the names of settings. Raises InputError, OutsideError among it."""
    return Order(definite(settings_from_values(values), config))


def order_of_text(text: str, name: str, config: ServiceConfig) -> Order:
    """An order by the text of a project file of any kind. name: its file's name, for errors."""
    project = project_from_text(text, name)
    with _placed(name):
        return Order(definite(project.settings, config), project.notes, name, project.storyboard)


def definite(settings: Settings, config: ServiceConfig) -> Settings:
    """The settings as an order holds them. Raises InputError, OutsideError among it."""
    chosen = replace(settings, output_dir=settings.output_dir.strip() or str(config.outputs))
    inside = settings_inside(chosen, config.roots())
    # So that the job finds the same parts of models wherever it runs, now and when it is gone on with.
    folders = dict.fromkeys((*path_lines(inside.model_dirs), *map(str, config.model_roots)))
    return fixed_seed(replace(inside, model_dirs="\n".join(folders)))


def order_plan(order: Order) -> Plan:
    """What would be made. Raises as `plan_film`, with the file's name."""
    with _placed(order.name):
        return plan_film(order.settings)


def order_memory(order: Order, plan: Plan) -> dict[str, Any] | None:
    """What the plan's models will take of the memory, as JSON-able values; None where no model is needed."""
    expected = film_memory(order.settings, plan)
    return expected.as_dict() if expected is not None else None


def order_job(order: Order, wish: Wish, config: ServiceConfig) -> NewJob:
    """The job of an order, after everything that could refuse the film was tried. Raises as `check_film`."""
    with _placed(order.name):
        check_output_folder(Path(order.settings.output_dir))
        check_free_space(Path(order.settings.output_dir), config.min_free_bytes)
        plan = check_film(order.settings)
        return NewJob(
            settings=settings_to_mapping(order.settings),
            title=wish.title or order.title(),
            batch=wish.batch,
            priority=wish.priority,
            device=job_devices(order.settings.devices, order.settings.device)[0],
            notes=(*order.notes, *plan.notes),
        )


@contextmanager
def _placed(name: str) -> Iterator[None]:
    """Problems that are found inside say in which file they are."""
    try:
        yield
    except InputError as error:
        raise type(error)(replace(each, file=each.file or name) for each in error.problems) from error
