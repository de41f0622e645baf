"""The front page of keyframe films: pictures with times become one film. Also how other programs call it:

config = GenerationConfig(ckpt_dir=Path("models/flf2v"), size="1280*720", fps=24, base_seed=42)
made = MultiKeyframePipeline(config).run([("a.png", 0.0), ("b.png", 3.0)], global_prompt="…", output_path="film.mp4")

A film that was stopped, or of which single segments shall be made again, is found by its settings and gone on with.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem, WanError
from wan_engine.film import forget_clips, make_film, resume_film
from wan_engine.plan.model import Clip, Plan, read_plan
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.render.result import FilmResult
from wan_engine.schedule.project import Project, load_project, project_from_values
from wan_engine.settings import Settings
from wan_engine.storage.atomic import AtomicPath, storage_error, write_json
from wan_engine.storage.places import FilmPlaces, outputs_root
from wan_engine.words import counted

BATCH_NAME = "keyframes"
"""Folder of keyframe films inside the output folder, unless the project names another."""
PROGRESS_FILE = "progress.json"
_MOST_SEARCHED = 200


@dataclass(frozen=True)
class GenerationConfig:
    """How keyframe films are made. The fields are the names of keyframe projects; None takes the model's own value.

    size: width*height in pixels, "" for the model's own.  base_seed: -1 draws one; each segment adds one to it.
    """

    ckpt_dir: Path | None = None
    size: str = ""
    fps: float | str = 24
    sample_steps: int | None = None
    sample_shift: float | None = None
    sample_guide_scale: float | None = None
    base_seed: int = -1
    offload_model: bool = False
    t5_cpu: bool = False
    num_gpus: int | None = None
    gpu_ids: tuple[int, ...] | None = None
    enable_smoothing: bool = True
    smoothing_method: str = "temporal_filter"
    output_dir: Path | None = None
    keep_intermediates: bool = True

    def values(self) -> dict[str, Any]:
        """The config as a keyframe project holds it, without what is not set."""
        named: dict[str, Any] = asdict(self)
        given = {name: value for name, value in named.items() if value is not None and value != ""}
        paths: dict[str, Any] = {
            name: str(Path(given[name]).absolute()) for name in ("ckpt_dir", "output_dir") if name in given
        }
        ids = {"gpu_ids": [*self.gpu_ids]} if self.gpu_ids else {}
        return {**given, **paths, **ids, "fps": str(self.fps)}


@dataclass(frozen=True)
class Again:
    """What of an earlier film with the same settings is used.

    segment: make this segment, from 1, and all later ones again; 0 keeps all that is finished.
    anew: use nothing and make the whole film again.
    """

    segment: int = 0
    anew: bool = False


class MultiKeyframePipeline:
    """Makes films from keyframes with one config. Nothing is loaded before `run`."""

    def __init__(self, config: GenerationConfig) -> None:
        self.config = config

    def run(
        self,
        keyframes: Sequence[tuple[str | Path, float]],
        global_prompt: str = "",
        output_path: str | Path = "output_final.mp4",
        sub_prompts: Sequence[str] = (),
    ) -> FilmResult:
        """Make the film and put it at `output_path` too; an earlier one with these settings is gone on with.

        keyframes: pictures and their seconds, in order, two at least. Raises InputError with everything that is
        wrong, and whatever `film.make_film` raises.
        """
        pairs = [[str(Path(image).absolute()), seconds] for image, seconds in keyframes]
        values = {**self.config.values(), "keyframes": pairs, "prompt": global_prompt, "sub_prompts": list(sub_prompts)}
        project = keyframe_project(values, Path.cwd())
        made = make_keyframe_film(project.settings, lambda _event: None, lambda: False)
        copy_film(made, Path(output_path))
        return replace(made, notes=(*project.notes, *made.notes))


def keyframe_project(values: dict[str, Any], folder: Path) -> Project:
    """The checked project of these values; relative paths count from `folder`. Raises InputError."""
    return project_from_values({"kind": "keyframes", "batch_name": BATCH_NAME, **values}, folder)


def make_keyframe_film(
    settings: Settings, report: Report, cancelled: CancelCheck, again: Again | None = None, devices: Sequence[str] = ()
) -> FilmResult:
    """Make the film, or go on with the newest one that was begun with the same settings.

    A film with other settings is a new one, which has the clips of the newest film before that come out the same.
    Its folder holds progress.json, which says of each segment where it lies in the film and whether it is finished.
    devices: where to render now, in place of the settings' own. Raises InputError for a segment that there is not, and
    whatever `film.make_film` raises.
    """
    again = again or Again()
    with told_of_keyframes(settings):
        return _made(settings, _Segments(report), cancelled, again, devices)


def _made(
    settings: Settings, noted: _Segments, cancelled: CancelCheck, again: Again, devices: Sequence[str]
) -> FilmResult:
    folder = None if again.anew else _begun_before(settings)
    if folder is None:
        if again.segment > 1:
            message = f"no film with these settings was begun in {outputs_root(settings)}"
            raise InputError(Problem(message, "Leave it out to make the whole film", field="resume_from"))
        kept = (places for places in _films_before(settings) if places.clips.is_dir())
        earlier = None if again.anew else next(kept, None)
        return make_film(settings, noted, cancelled, devices, earlier)
    if again.segment:
        _forget_from(folder, again.segment)
    return resume_film(folder.folder, noted, cancelled, devices=devices)


@contextmanager
def told_of_keyframes(settings: Settings) -> Iterator[None]:
    """Problems with pictures are told of their keyframes, counted from 1, not of the film frames that they are."""
    numbers = {("guided_images", key): number for number, key in enumerate(settings.guided_images, 1)}
    numbers["end_image", ""] = len(numbers) + 1
    try:
        yield
    except InputError as error:
        raise InputError(_of_keyframe(problem, numbers) for problem in error.problems) from error


def _of_keyframe(problem: Problem, numbers: Mapping[tuple[str, str], int]) -> Problem:
    number = numbers.get((problem.field, problem.key))
    return problem if number is None else replace(problem, field="keyframes", key=str(number))


def copy_film(made: FilmResult, target: Path) -> None:
    """Put the film at another place too, whole or not at all. Raises StorageError; does nothing without a film file."""
    if made.film is None:
        return
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        with AtomicPath(target.absolute()) as part:
            shutil.copyfile(made.film, part)
    except OSError as error:
        raise storage_error(target, error) from error


def segments_of(plan: Plan) -> list[list[Clip]]:
    """The clips between each two keyframes, in film order."""
    found: list[list[Clip]] = []
    for clip in plan.clips:
        if clip.part == 0:
            found.append([])
        found[-1].append(clip)
    return found


def _forget_from(places: FilmPlaces, segment: int) -> None:
    segments = segments_of(read_plan(places.plan))
    if segment > len(segments):
        problem = Problem(f"the film has {counted(len(segments), 'segment')}", "Give one of them", field="resume_from")
        raise InputError(problem)
    forget_clips(places.folder, {clip.index for clips in segments[segment - 1 :] for clip in clips})


def _begun_before(settings: Settings) -> FilmPlaces | None:
    """The newest film that was begun with these settings; a seed that is to be drawn may be any."""
    for places in _films_before(settings):
        try:
            theirs = load_project(places.settings).settings
        except WanError:
            continue  # a film of another version, or damaged: not one to go on with
        seed = theirs.seed if settings.seed < 0 else settings.seed
        if theirs == replace(settings, seed=seed):
            return places
    return None


def _films_before(settings: Settings) -> Iterator[FilmPlaces]:
    """The films in the output folder, the newest first."""
    folders = sorted(outputs_root(settings).glob("*/*/"), key=lambda folder: folder.name, reverse=True)
    for places in map(FilmPlaces, folders[:_MOST_SEARCHED]):
        if places.plan.is_file() and places.settings.is_file():
            yield places


class _Segments:
    """Passes events on, and keeps progress.json in the film's folder up to date."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._places: FilmPlaces | None = None
        self._done: set[int] = set()

    def __call__(self, event: Event) -> None:
        if event.kind == "started":
            self._places = FilmPlaces(Path(event.message))
            self._write()
        elif event.kind == "clip_done":
            self._done.add(event.clip)
            self._write()
        self._report(event)

    def _write(self) -> None:
        assert self._places is not None
        plan = read_plan(self._places.plan)
        segments = [self._segment(plan, clips) for clips in segments_of(plan)]
        write_json(self._places.folder / PROGRESS_FILE, {"segments": segments})

    def _segment(self, plan: Plan, clips: Iterable[Clip]) -> dict[str, Any]:
        clips = list(clips)
        return {
            "start_frame": clips[0].start,
            "end_frame": clips[-1].end,
            "start_seconds": round(float(clips[0].start / plan.fps), 3),
            "end_seconds": round(float(clips[-1].end / plan.fps), 3),
            "clips": [f"clips/clip_{clip.index:04d}.mkv" for clip in clips],
            "finished": all(clip.index in self._done for clip in clips),
        }
