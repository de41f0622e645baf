"""Splits one film: finds its scenes, lists them, cuts those that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem, WanError
from wan_engine.media.probe import probe
from wan_engine.media.segments import CutJob
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.settings_split import SplitSettings, split_settings_to_mapping
from wan_engine.storage.atomic import storage_error
from wan_engine.storage.hashes import file_hash, value_hash
from wan_engine.tools.scenes.curve import Curve, draw_curve, read_curve, write_curve
from wan_engine.tools.scenes.cutting import FilmFile, at_key_frames, cut_scenes, piece_coding, write_sheet
from wan_engine.tools.scenes.detector import Detector
from wan_engine.tools.scenes.names import free_series, scene_names
from wan_engine.tools.scenes.scene_list import (
    Scene,
    SceneList,
    list_path,
    read_list,
    scenes_between,
    with_times,
    write_list,
)
from wan_engine.tools.scenes.transitions import Transition, find_transitions
from wan_engine.words import counted

Spans = tuple[tuple[int, int], ...]
"""Scenes as frames [start, end)."""


@dataclass(frozen=True)
class SplitOrder:
    """What is to be split. films: whole paths.  resume: keep what an earlier split finished with the same settings.

    scenes: of a single film, given by hand in place of those that are found.
    """

    films: tuple[Path, ...]
    settings: SplitSettings = field(default_factory=SplitSettings)
    resume: bool = False
    scenes: Spans = ()

    def folder(self) -> Path:
        """Where everything goes."""
        chosen = self.settings.output_dir.strip()
        return Path(chosen).expanduser().absolute() if chosen else Path.cwd() / "outputs" / "scenes"


@dataclass(frozen=True)
class FilmSplit:
    """What became of one film: the list and what lies beside it, or the error. made: scene files written now."""

    film: Path
    list: Path | None = None
    table: Path | None = None
    curve: Path | None = None
    sheet: Path | None = None
    scenes: int = 0
    made: int = 0
    notes: tuple[str, ...] = ()
    error: WanError | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able values."""
        values = {name: str(value) if isinstance(value, Path) else value for name, value in vars(self).items()}
        return {**values, "notes": [*self.notes], "error": self.error.as_dict() if self.error else None}


@dataclass(frozen=True)
class SplitProgress:
    """Reports on one film of several. Its steps are frames looked at, then frames cut."""

    report: Report
    film: int
    films: int

    def say(self, kind: str, message: str = "", step: int = 0, steps: int = 0) -> None:
        """Report one event."""
        whole = 1000
        done = self.film * whole + (whole * step // steps if steps else 0)
        self.report(
            Event(kind, message, self.film, self.films, step, steps, steps_done=done, steps_total=self.films * whole)
        )


@dataclass(frozen=True)
class FilmWork:
    """One film being split."""

    order: SplitOrder
    film: Path
    folder: Path
    detector: Detector
    progress: SplitProgress
    cancelled: CancelCheck

    @property
    def _settings(self) -> SplitSettings:
        return self.order.settings

    def split(self) -> FilmSplit:
        """Find, list and cut the scenes; what is there already is kept if the order says so."""
        file = FilmFile(self.film, probe(self.film))
        coding = None if self._settings.list_only else piece_coding(self._settings, file)
        self.progress.say("film_started", self.film.name)
        film_hash = file_hash(self.film)
        series = free_series(self.film, self.folder)
        curve, path = self._curve(file, film_hash, series)
        job = CutJob(self.film, curve.times, coding, self.folder)
        scenes = self._list(file, film_hash, series, curve, job)
        scenes, kept = self._prepare(scenes)
        write_list(self.folder, scenes)
        made = 0 if self._settings.list_only else self._cut(job, scenes, kept)
        sheet = list_path(self.folder, series, "-sheet.png")
        write_sheet(sheet, scenes, job, self.cancelled)
        self.progress.say("film_done", f"{self.film.name}: {counted(len(scenes.scenes), 'scene')}", 1, 1)
        table = list_path(self.folder, series, ".csv")
        place = list_path(self.folder, series, ".json")
        return FilmSplit(self.film, place, table, path, sheet, len(scenes.scenes), made, scenes.notes)

    def _curve(self, file: FilmFile, film_hash: str, series: str) -> tuple[Curve, Path]:
        """The film's curve, which is drawn now or was kept by an earlier split that is gone on with."""
        path = list_path(self.folder, series, ".npz")
        curve = read_curve(path, film_hash, self.detector.name) if self.order.resume else None
        if curve is None:
            expected = max(1, file.info.frames or round(file.info.duration * file.info.fps))
            say = self._step("Finding scenes", expected)
            curve = draw_curve(self.film, self.detector, say, self.cancelled)
            write_curve(path, curve, film_hash, self.detector.name)
        return curve, path

    def _step(self, words: str, total: int) -> Callable[..., None]:
        """Reports frames done in this part of the work; finding and cutting are half of it each."""
        first_half = words.startswith("Finding")
        half = total if not self._settings.list_only else 0

        def say(done: int, more: str = "") -> None:
            at = min(done, total) + (0 if first_half else half)
            self.progress.say("step", f"{words} {more}".strip(), at, total + half)

        return say

    def _list(self, file: FilmFile, film_hash: str, series: str, curve: Curve, job: CutJob) -> SceneList:
        settings, frames = self._settings, len(curve.times)
        found = find_transitions(curve.likelihood, curve.looks, settings.threshold, settings.min_scene)
        spans = self._spans(found, frames)
        notes = [f"damaged, but read: {curve.damage}"] if curve.damage else []
        if settings.copy:
            wanted, spans = spans, at_key_frames(spans, file, curve)
            notes.append(_moved_words(wanted, spans))
        if not settings.copy and settings.height > file.info.height:
            notes.append(f"its height of {file.info.height} is enlarged to {settings.height}")
        ending = "" if settings.list_only else job.ending()
        names = [] if settings.list_only else scene_names(settings.name_pattern, self.film, series, spans, ending)
        scenes = SceneList(
            film=str(self.film),
            film_hash=film_hash,
            series=series,
            frames=frames,
            fps=round(float(curve.times.fps), 6),
            width=file.info.width,
            height=file.info.height,
            detector="" if self.order.scenes else self.detector.words,
            scenes=with_times(spans, curve.times, names),
            transitions=tuple(found),
            settings=split_settings_to_mapping(settings),
            recipe="",
            notes=tuple(notes),
        )
        coding = asdict(job.coding) if job.coding else "copy"
        return replace(scenes, recipe=value_hash([film_hash, [asdict(each) for each in scenes.scenes], coding]))

    def _spans(self, found: list[Transition], frames: int) -> list[tuple[int, int]]:
        if not self.order.scenes:
            return scenes_between(found, frames, self._settings.transitions == "middle")
        if self.order.scenes[-1][1] > frames:
            message = f"the film has {counted(frames, 'frame')}, and the last scene ends at {self.order.scenes[-1][1]}"
            raise InputError(Problem(message, "Give scenes inside the film", field="scenes"))
        return list(self.order.scenes)

    def _prepare(self, scenes: SceneList) -> tuple[SceneList, set[str]]:
        """The list to be written, and the scene files that can be kept; other ones of earlier splits are removed.

        Only then may the list appear: a file that it names is always as it says.
        """
        before = read_list(list_path(self.folder, scenes.series, ".json"))
        there = self._there(before) if before else set[str]()
        if self._settings.list_only:
            return replace(scenes, earlier=tuple(sorted(there))), set()
        if before is not None and self.order.resume and before.recipe == scenes.recipe:
            return scenes, there
        for name in there:
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(self.folder / name, error, "remove") from error
        return scenes, set()

    def _there(self, before: SceneList) -> set[str]:
        """The scene files of earlier splits of the film that lie here."""
        named = {each.file for each in before.scenes} | set(before.earlier)
        return {name for name in named if name and Path(name).name == name and (self.folder / name).is_file()}

    def _cut(self, job: CutJob, scenes: SceneList, kept: set[str]) -> int:
        missing = [each for each in scenes.scenes if each.file not in kept]
        total = sum(each.end - each.start for each in missing)
        done = 0
        say = self._step("Cutting", max(1, total))

        def made(scene: Scene) -> None:
            nonlocal done
            done += scene.end - scene.start
            say(done, scene.file)

        cut_scenes(job, missing, made, self.cancelled)
        return len(missing)


def _moved_words(wanted: list[tuple[int, int]], real: list[tuple[int, int]]) -> str:
    """Where the cuts of copied streams really are."""
    starts = [start for start, _ in real]
    moves = [min(abs(start - key) for key in starts) for start, _ in wanted]
    moved = [move for move in moves if move]
    if not moved:
        return "copied as it is: every cut lies at a key frame"
    less = len(wanted) - len(real)
    joined = f", and none is left for {counted(less, 'scene')}" if less > 0 else ""
    far = counted(max(moved), "frame")
    return f"copied as it is: {len(moved)} of {counted(len(wanted), 'cut')} moved by up to {far}{joined}"
