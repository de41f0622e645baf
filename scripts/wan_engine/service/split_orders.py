"""What a client asks to be split becomes a job, and the job what the splitter takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wan_engine.service.allowed import check_output_folder, inside_roots
from wan_engine.service.config import ServiceConfig
from wan_engine.service.orders import Wish
from wan_engine.service.records import NewJob, device_name
from wan_engine.settings_check import split_settings_from_mapping
from wan_engine.settings_split import split_settings_to_mapping
from wan_engine.storage.places import check_free_space
from wan_engine.tools.scenes.film_work import SplitOrder
from wan_engine.tools.scenes.inputs import find_films
from wan_engine.tools.scenes.split import check_split

FOLDER = "scenes"
"""Folder for scenes in the service's outputs, where the settings name none."""


def split_job(
    films: Sequence[str],
    settings: Mapping[str, Any],
    scenes: Sequence[Sequence[int]],
    wish: Wish,
    config: ServiceConfig,
) -> NewJob:
    """The job of a split, after everything that could refuse it was tried.

    scenes: given by hand, as frames [start, end). Raises InputError, OutsideError among it, MediaError and
    StorageError.
    """
    checked = split_settings_from_mapping(settings)
    roots = config.roots()
    folder = inside_roots(checked.output_dir.strip() or str(config.outputs / FOLDER), roots, "output_dir")
    named = [str(inside_roots(each, roots, "films")) for each in films]
    # What a folder or a pattern holds may lead out again.
    found = tuple(inside_roots(str(each), roots, "films") for each in find_films(named))
    checked = replace(checked, output_dir=str(folder), device=device_name(checked.device))
    order = SplitOrder(found, checked, True, tuple((start, end) for start, end in scenes))
    check_output_folder(folder)
    check_free_space(folder, config.min_free_bytes)
    check_split(order)
    return NewJob(
        settings=_mapping(order),
        title=wish.title or found[0].stem,
        batch=wish.batch,
        priority=wish.priority,
        device=checked.device,
        kind="split",
    )


def _mapping(order: SplitOrder) -> dict[str, Any]:
    films, scenes = [str(film) for film in order.films], [list(span) for span in order.scenes]
    return {"films": films, "scenes": scenes, **split_settings_to_mapping(order.settings)}


def split_order_of(settings: Mapping[str, Any]) -> SplitOrder:
    """What a job is to split; what an earlier attempt finished is kept. Raises InputError."""
    values = dict(settings)
    films, scenes = values.pop("films"), values.pop("scenes")
    spans = tuple((start, end) for start, end in scenes)
    return SplitOrder(tuple(Path(film) for film in films), split_settings_from_mapping(values), True, spans)
