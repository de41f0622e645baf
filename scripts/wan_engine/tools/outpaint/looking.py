"""Looks through a film once: when each frame is shown and where its scenes begin; kept beside the outpainted film."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from wan_engine.media.film_frames import film_frame, film_times
from wan_engine.media.frame_times import FrameTimes
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.settings_split import SplitSettings
from wan_engine.storage.atomic import storage_error, write_bytes
from wan_engine.tools.outpaint.orders import OutpaintOrder, scenes_of_cuts
from wan_engine.tools.scenes.curve import draw_curve
from wan_engine.tools.scenes.detectors import make_detector
from wan_engine.tools.scenes.scene_list import scenes_between
from wan_engine.tools.scenes.transitions import find_transitions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Facts:
    """A film's frames and scenes. scenes: as frames [start, end), without gaps."""

    times: FrameTimes
    scenes: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()


def look_through(order: OutpaintOrder, seen: Callable[[int], None], cancelled: CancelCheck, device: str = "") -> Facts:
    """Decode the film once, small. seen: told how many frames are done.  device: of the detector, in place of its own.

    Raises MediaError, also for a film whose frames could not be found again, ModelError, InputError for a cut outside
    the film, and Cancelled.
    """
    facts = _seen_through(order, seen, cancelled, device)
    # H.264 in an AVI, which holds no times, would fail when all but the last chunk is rendered.
    film_frame(order.film, facts.times, len(facts.times) - 1)
    return facts


def _seen_through(order: OutpaintOrder, seen: Callable[[int], None], cancelled: CancelCheck, device: str = "") -> Facts:
    settings = order.settings

    def look(done: int) -> None:
        if cancelled():
            raise stopped()
        seen(done)

    if order.cuts is not None or not settings.split_scenes:
        times = film_times(order.film, look)
        return Facts(times, tuple(scenes_of_cuts(order.cuts or (), len(times))))
    split = SplitSettings(
        detector=settings.detector, threshold=settings.threshold, min_scene=settings.min_scene, device=settings.device
    )
    detector, notes = make_detector(split, device)
    curve = draw_curve(order.film, detector, seen, cancelled)
    found = find_transitions(curve.likelihood, curve.looks, settings.threshold, settings.min_scene)
    if curve.damage:
        notes = (*notes, f"The film is damaged, but was read: {curve.damage}")
    return Facts(curve.times, tuple(scenes_between(found, len(curve.times), keep_all=True)), notes)


def write_facts(path: Path, facts: Facts, film_hash: str) -> None:
    """Keep what was seen, as .npz. Raises StorageError."""
    import numpy as np

    data = io.BytesIO()
    tick = [facts.times.tick.numerator, facts.times.tick.denominator]
    np.savez_compressed(
        data,
        ticks=facts.times.ticks,
        tick=np.array(tick, np.int64),
        scenes=np.array(facts.scenes, np.int64),
        notes=np.array(facts.notes, dtype=str),
        film=np.array(film_hash),
    )
    write_bytes(path, data.getvalue())


def read_facts(path: Path, film_hash: str) -> Facts | None:
    """What was kept of this very film; None if there is nothing, or it was of another one. Raises StorageError."""
    import numpy as np

    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["film"]) != film_hash:
                return None
            times = FrameTimes(kept["ticks"], Fraction(int(kept["tick"][0]), int(kept["tick"][1])))
            scenes = tuple((int(start), int(end)) for start, end in kept["scenes"])
            return Facts(times, scenes, tuple(str(note) for note in kept["notes"]))
    except OSError as error:
        raise storage_error(path, error, "read") from error
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError, ZeroDivisionError) as error:
        logger.warning("%s is damaged, and the film is looked through again: %s", path, error)
        return None
