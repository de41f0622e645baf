"""Looks at all that an outpaint needs before any work is done: film, canvas, masks, models, texts, encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from wan_engine.errors import InputError, Problem
from wan_engine.families import Lineup
from wan_engine.media.pictures import picture_format
from wan_engine.media.probe import MediaInfo, probe
from wan_engine.media.timed_film import ColourTags, check_coding, colour_tags
from wan_engine.models.lineup import lineup, lineup_notes
from wan_engine.models.lora.check import lora_notes
from wan_engine.models.lora.library import find_loras
from wan_engine.plan.model import Plan
from wan_engine.storage.places import check_free_space, outputs_root
from wan_engine.tiny import WEIGHTS
from wan_engine.tools.outpaint.canvas import Canvas, Grey, Mirror, Noise
from wan_engine.tools.outpaint.captions import caption_place
from wan_engine.tools.outpaint.geometry import Layout, lay_out
from wan_engine.tools.outpaint.noise import NoiseMaker, noise_maker
from wan_engine.tools.outpaint.orders import OutpaintOrder, scenes_of_cuts
from wan_engine.tools.outpaint.planning import (
    LARGEST_RATE_PART,
    FilmLength,
    Planner,
    check_template,
    film_settings,
    vace_card,
)
from wan_engine.tools.outpaint.regions import Region, region_of

_HDR = (16, 18)
"""Transfers of PQ and HLG, in ffmpeg's numbers."""


@dataclass(frozen=True)
class Checked:
    """An order that can be carried out.

    planner: makes the plan when the scenes are known.  expected: the plan as if the film were one scene.
    noise: makes the canvas of noise, None for another canvas.  caption: where the caption model lies, "" for none.
    """

    order: OutpaintOrder
    info: MediaInfo
    tags: ColourTags
    layout: Layout
    models: Lineup
    planner: Planner
    expected: Plan
    noise: NoiseMaker | None
    caption: str
    notes: tuple[str, ...]

    def check_room(self) -> None:
        """Raise StorageError unless the disk has room for all chunks."""
        settings = film_settings(self.order.settings, self.planner.length, self.layout)
        check_free_space(outputs_root(settings), self.expected.disk_bytes)

    def region(self) -> Region:
        """What is made anew; a mask film is looked through for its times. Raises MediaError, InputError."""
        return region_of(self.layout, self.order.settings.mask)

    def canvas(self, folder: Path) -> Canvas:
        """What the model is shown where it is to paint. folder: where pictures of noise are kept. Raises ModelError."""
        if self.noise is not None:
            return Noise(self.layout, self.noise.pictures(self.layout, folder))
        return Mirror(self.layout) if self.order.settings.canvas == "mirror" else Grey(self.layout)


def check_outpaint(order: OutpaintOrder) -> Checked:
    """Find what is wrong with an order. No model is loaded and no frame but the first is decoded.

    Raises InputError, MediaError, ModelError and CapabilityError.
    """
    settings = order.settings
    check_template(settings)
    if settings.devices.strip():
        message = "a film is outpainted on one device, for each of its chunks needs the one before"
        raise InputError(Problem(message, "Name it in device, and leave devices empty", field="devices"))
    info, tags = probe(order.film), colour_tags(order.film)
    if info.rotation % 180:
        tags = replace(tags, pixel_shape=1 / tags.pixel_shape)
    frames = info.frames or max(1, round(info.duration * info.fps))
    length = FilmLength(frames, info.fps.limit_denominator(LARGEST_RATE_PART))
    if order.cuts and info.frames:
        scenes_of_cuts(order.cuts, info.frames)
    rough = Layout.of_film(info.width, info.height)
    models = lineup(film_settings(settings, length, rough), WEIGHTS)
    card = vace_card(models)
    layout = lay_out((info.width, info.height), settings, card.family.size_multiple)
    check_coding(settings, layout.width, layout.height)
    _check_mask(order)
    noise = noise_maker(settings, card) if settings.canvas == "noise" else None
    planner = Planner(settings, length, layout, models, find_loras(film_settings(settings, length, layout)))
    expected = planner.plan([(0, length.frames)], {})
    notes = list(lineup_notes(models))
    if settings.backend == "wan":
        notes += lora_notes(expected, models)
    notes += [noise.note()] if noise else []
    if settings.canvas == "mirror":
        notes.append("The canvas is the film mirrored at its border and blurred, and VACE was trained on mid grey")
    notes += _media_notes(info, tags)
    caption = caption_place(settings)
    if not caption:
        notes.append("No caption model is set: every chunk has the prompt alone")
    return Checked(order, info, tags, layout, models, planner, expected, noise, caption, tuple(notes))


def _check_mask(order: OutpaintOrder) -> None:
    settings = order.settings
    inpaints = bool(settings.mask.strip() or settings.box.strip())
    if inpaints and settings.canvas == "mirror":
        message = "a mirrored canvas is for sides, and a mask or box is given"
        raise InputError(Problem(message, "Set canvas to grey or noise", field="canvas"))
    if settings.mask.strip():
        mask = Path(settings.mask)
        if not mask.is_file():
            raise InputError(Problem(f"{mask} is not there", "Give a picture or a film", field="mask"))
        if picture_format(mask) in (None, "animation"):
            probe(mask)
        else:
            region_of(Layout.of_film(64, 64), settings.mask)


def _media_notes(info: MediaInfo, tags: ColourTags) -> list[str]:
    notes = []
    if info.interlaced:
        notes.append("The film is interlaced: its lines are kept as they are; deinterlace it first for a better result")
    if tags.pixel_shape != 1:
        shape = f"{tags.pixel_shape.numerator}:{tags.pixel_shape.denominator}"
        notes.append(f"The film's pixels are not square ({shape}): they stay so, and sizes count in them")
    if tags.transfer in _HDR:
        notes.append("The film is HDR: its tags are kept, and its pictures are worked on in 8 bits")
    return notes
