"""A film's curve: for each frame its time, its looks and how likely a scene ends there; kept beside the scenes."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from wan_engine.media.frame_times import FrameTimes
from wan_engine.media.small_frames import SmallFrames
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.storage.atomic import storage_error, write_bytes
from wan_engine.tools.scenes.looks import Looks, LooksKeeper

if TYPE_CHECKING:
    from wan_engine.tools.scenes.detector import Block, Detector, Likelihood

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Curve:
    """What a detector saw in a film. damage: what ffmpeg found damaged, "" for nothing."""

    times: FrameTimes
    looks: Looks
    likelihood: Likelihood
    damage: str = ""


def draw_curve(film: Path, detector: Detector, seen: Callable[[int], None], cancelled: CancelCheck) -> Curve:
    """Look at a whole film while it is decoded. seen: told how many frames are done.

    Raises MediaError, and Cancelled within a window.
    """
    import numpy as np

    keeper = LooksKeeper()

    def kept(blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            if cancelled():
                raise stopped()
            keeper.add(block)
            yield block

    rows: list[Likelihood] = []
    done = 0
    with SmallFrames(film, detector.size.width, detector.size.height) as frames:
        for part in detector.likelihoods(kept(iter(frames))):
            rows.append(part)
            done += len(part)
            seen(done)
        times = frames.times()
        return Curve(times, keeper.looks(), np.concatenate(rows), frames.damage())


def write_curve(path: Path, curve: Curve, film_hash: str, detector: str) -> None:
    """Keep a curve as .npz. film_hash, detector: what it was drawn from. Raises StorageError."""
    import numpy as np

    data = io.BytesIO()
    np.savez_compressed(
        data,
        ticks=curve.times.ticks,
        tick=np.array([curve.times.tick.numerator, curve.times.tick.denominator], np.int64),
        likelihood=curve.likelihood,
        fields=curve.looks.fields,
        bright=curve.looks.bright,
        source=np.array([film_hash, detector, curve.damage]),
    )
    write_bytes(path, data.getvalue())


def read_curve(path: Path, film_hash: str = "", detector: str = "") -> Curve | None:
    """A kept curve; None if there is none, or it was drawn from another film or by another detector.

    Empty texts ask for nothing. A damaged file is as none. Raises StorageError when it cannot be read.
    """
    import numpy as np

    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            of_film, by, damage = (str(text) for text in kept["source"])
            if film_hash not in ("", of_film) or detector not in ("", by):
                return None
            times = FrameTimes(kept["ticks"], Fraction(int(kept["tick"][0]), int(kept["tick"][1])))
            return Curve(times, Looks(kept["fields"], kept["bright"]), kept["likelihood"], damage)
    except OSError as error:
        raise storage_error(path, error, "read") from error
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError, ZeroDivisionError) as error:
        logger.warning("%s is damaged and is drawn anew: %s", path, error)
        return None
