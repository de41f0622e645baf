"""What a client asks to be outpainted becomes a job, and the job what the front page of outpainting takes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import InputError, Problem
from wan_engine.service.allowed import check_output_folder, inside_roots, settings_inside
from wan_engine.service.config import ServiceConfig
from wan_engine.service.orders import Wish
from wan_engine.service.records import NewJob, device_name
from wan_engine.setting_spec import path_lines
from wan_engine.settings_check import outpaint_settings_from_mapping
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS
from wan_engine.storage.places import check_free_space
from wan_engine.tools.outpaint.checking import Checked, check_outpaint
from wan_engine.tools.outpaint.orders import OutpaintOrder, orders_of_values
from wan_engine.tools.outpaint.previewing import look_at_one

if TYPE_CHECKING:
    from wan_engine.media.picture import Picture

PREVIEW = "preview"
FRAME = "frame"
"""Keys of a job's settings that are none of the order's: whether only a frame is made, and which."""


@dataclass(frozen=True)
class OutpaintWish:
    """What a client asks for. cuts: None has scenes found as the settings say.  frame: the one that is previewed."""

    film: str
    settings: Mapping[str, Any]
    cuts: Sequence[int] | None = None
    preview: bool = False
    frame: int = 0


def outpaint_order(wanted: OutpaintWish, config: ServiceConfig) -> OutpaintOrder:
    """The order, definite, every path inside the allowed folders. Raises InputError, OutsideError among it."""
    roots = config.roots()
    settings = outpaint_settings_from_mapping(wanted.settings)
    settings = replace(settings, output_dir=settings.output_dir.strip() or str(config.outputs))
    settings = settings_inside(settings, roots, OUTPAINT_SETTINGS)
    if Path(settings.caption_model).expanduser().exists() and settings.caption_model.strip():
        inside_roots(settings.caption_model, roots, "caption_model")
    # So that the job finds the same parts of models wherever it runs, now and when it is gone on with.
    folders = dict.fromkeys((*path_lines(settings.model_dirs), *map(str, config.model_roots)))
    settings = replace(settings, model_dirs="\n".join(folders), device=device_name(settings.device))
    film = inside_roots(wanted.film, roots, "film")
    if not film.is_file():
        raise InputError(Problem(f'"{wanted.film}" is no file', "Give the path of a film", field="film"))
    cuts = None if wanted.cuts is None else tuple(wanted.cuts)
    if cuts is not None and any(after <= before for before, after in zip((0, *cuts), cuts, strict=False)):
        raise InputError(Problem("these are no frames in order", "Give frames from 1 on: [48, 120]", field="cuts"))
    return OutpaintOrder(film, settings, cuts).definite()


def outpaint_job(wanted: OutpaintWish, wish: Wish, config: ServiceConfig) -> NewJob:
    """The job of an outpaint, after everything that could refuse it was tried.

    Raises as `check_outpaint`, and StorageError.
    """
    order = outpaint_order(wanted, config)
    folder = Path(order.settings.output_dir)
    check_output_folder(folder)
    check_free_space(folder, config.min_free_bytes)
    checked = check_outpaint(order)
    if not wanted.preview:
        checked.check_room()
    return NewJob(
        settings={**order.as_values(), PREVIEW: wanted.preview, FRAME: wanted.frame},
        title=wish.title or order.film.stem,
        batch=wish.batch,
        priority=wish.priority,
        device=order.settings.device,
        notes=(*checked.layout.notes, *checked.notes),
        kind="outpaint",
    )


def outpaint_order_of(settings: Mapping[str, Any]) -> tuple[OutpaintOrder, bool, int]:
    """What a job is to outpaint, whether it is a preview, and of which frame. Raises InputError."""
    values = dict(settings)
    preview, frame = bool(values.pop(PREVIEW, False)), int(values.pop(FRAME, 0))
    return orders_of_values(values)[0], preview, frame


def outpaint_look(wanted: OutpaintWish, config: ServiceConfig) -> tuple[Checked, dict[str, Picture]]:
    """An order that was checked, and its pictures before, canvas and mask. Raises as `outpaint_job`."""
    checked = check_outpaint(outpaint_order(wanted, config))
    with tempfile.TemporaryDirectory(prefix="wan-look-") as folder:
        return checked, look_at_one(checked, Path(folder), wanted.frame).pictures()
