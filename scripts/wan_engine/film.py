"""The front page: settings become a schedule, the schedule a plan, the plan chains of clips, the chains a film.

plan = plan_film(settings)                          what will be made; no model is loaded
made = make_film(settings, report, cancelled)       renders it; what is finished is on disk at every moment
made = resume_film(folder, report, cancelled)       goes on where a film was stopped or killed
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from wan_engine.backends import Backend
from wan_engine.backends.registry import make_backend
from wan_engine.executors import Executor
from wan_engine.executors.local import LocalExecutor
from wan_engine.executors.processes import ProcessExecutor
from wan_engine.families import Lineup
from wan_engine.media.pictures import write_png
from wan_engine.models.devices import choose_device, device_names
from wan_engine.models.lineup import lineup, lineup_notes
from wan_engine.models.lora.check import lora_notes
from wan_engine.models.lora.library import find_loras
from wan_engine.models.memory.outlook import Outlook, look_ahead
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan, plan_text, plan_to_json, read_plan
from wan_engine.plan.seam import seam_notes
from wan_engine.render.assemble import Assembler, check_output
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore, finished_clip
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.render.mend import mend_seams
from wan_engine.render.progress import Progress
from wan_engine.render.request import picture_notes
from wan_engine.render.seam_work import SeamWork
from wan_engine.schedule.project import load_project, project_to_text, with_folder
from wan_engine.schedule.seeds import fixed_seed
from wan_engine.settings import Settings, settings_to_mapping
from wan_engine.storage.atomic import remove_leftovers, write_text
from wan_engine.storage.hashes import value_hash
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.places import (
    FilmPlaces,
    check_free_space,
    film_folder,
    open_film_folder,
    outputs_root,
)
from wan_engine.tiny import WEIGHTS


@dataclass(frozen=True)
class FilmResult:
    """What was made and where it lies; None for what was not asked for.

    folder: holds everything.  film: the mp4, or the GIF when that is the codec.  sheet: the contact sheet.
    frames: folder of numbered pictures.
    """

    folder: Path
    film: Path | None
    plan: Path
    settings: Path
    sheet: Path
    subtitles: Path | None = None
    gif: Path | None = None
    frames: Path | None = None
    notes: tuple[str, ...] = ()

    def is_there(self) -> bool:
        """Whether all its files are there; of the numbered pictures only the folder is looked at."""
        made = (self.film, self.sheet, self.subtitles, self.gif, self.frames)
        return all(path.exists() for path in made if path is not None)


def plan_film(settings: Settings) -> Plan:
    """What would be made of these settings. Loads no model.

    Raises InputError, CapabilityError or ModelError, and MediaError for a picture that cannot be read.
    """
    settings = settled(settings)
    models = find_lineup(settings)
    plan = build_plan(settings, models, find_loras(settings))
    of_loras = lora_notes(plan, models) if settings.backend == "wan" else ()
    of_models = lineup_notes(models) if settings.backend == "wan" else ()
    return replace(plan, notes=(*plan.notes, *of_models, *of_loras, *picture_notes(plan)))


def film_memory(settings: Settings, plan: Plan) -> Outlook | None:
    """What the plan's models will take of the memory, before anything is loaded; None where no model is needed."""
    here = with_folder(settings, Path.cwd())
    return look_ahead(here, plan, find_lineup(here)) if settings.backend == "wan" else None


def check_film(settings: Settings) -> Plan:
    """As `plan_film`, after trying also the encoder, the soundtrack and the free space: nothing is left to refuse.

    settings: with a drawn seed. Raises also MediaError and StorageError, and CapabilityError for a device that is not.
    """
    plan = plan_film(settings)
    check_output(plan, settings)
    for name in device_names(settings.devices) if settings.backend == "wan" else ():
        choose_device(name)
    check_free_space(outputs_root(settings), plan.disk_bytes)
    return plan


def make_film(
    settings: Settings, report: Report, cancelled: CancelCheck, executor: Executor | None = None, device: str = ""
) -> FilmResult:
    """Plan, render and encode a film into a folder of its own.

    Everything that can be wrong with the input is found before the first step. Raises Cancelled within a step of the
    wish; the folder can then be given to `resume_film`. device: where to render now, in place of the settings' own.
    """
    settings = settled(settings)
    plan = check_film(settings)
    with opened_backend(settings, report, device) as backend:
        plan = replace(plan, resolved={"backend": settings.backend, **backend.resolve(plan)})
        sized = replace(settings, width=plan.width, height=plan.height)  # what {w} and {h} in batch_name stand for
        places = film_folder(sized, datetime.now())
        write_text(places.settings, project_to_text(settings))
        write_text(places.plan, plan_text(plan))
        film = _Film(settings, plan, places, backend, report, cancelled)
        return film.render(executor or _executor(settings, device))


def resume_film(
    folder: Path, report: Report, cancelled: CancelCheck, executor: Executor | None = None, device: str = ""
) -> FilmResult:
    """Go on with a film that was stopped, by the plan in its folder: what is finished is kept.

    A plan changed by hand renders again just what differs; a finished film stays as it is. Raises StorageError or
    InputError if the folder holds no plan. device: where to render now, in place of the settings' own.
    """
    places = open_film_folder(folder)
    plan, settings = read_plan(places.plan), load_project(places.settings).settings
    if plan.resolved.get(_FINISHED) == _fingerprint(plan, settings) and _result(plan, settings, places).is_there():
        return _result(plan, settings, places)
    check_output(plan, settings)
    check_free_space(places.folder, _bytes_missing(plan, places), "Free some space, then go on with the film")
    with opened_backend(settings, report, device) as backend:
        plan = replace(plan, resolved={**plan.resolved, **backend.resolve(plan)})
        film = _Film(settings, plan, places, backend, report, cancelled)
        return film.render(executor or _executor(settings, device))


def _bytes_missing(plan: Plan, places: FilmPlaces) -> int:
    """Room that the clips need which are not finished yet."""
    missing = sum(clip.frames for clip in plan.clips if finished_clip(places.clips, clip.index) is None)
    return plan.disk_bytes * missing // sum(clip.frames for clip in plan.clips)


def forget_clips(folder: Path, clips: Collection[int]) -> None:
    """Have `resume_film` render these clips of a film again, by number from 0. Raises StorageError or InputError."""
    places = open_film_folder(folder)
    plan = read_plan(places.plan)
    store = ClipStore(places.clips, plan)
    for clip in plan.clips:
        if clip.index in clips:
            store.forget(clip)
    resolved = {name: value for name, value in plan.resolved.items() if name != _FINISHED}
    write_text(places.plan, plan_text(replace(plan, resolved=resolved)))


def find_lineup(settings: Settings) -> Lineup:
    """The models the settings name, or the embedded small one, told from their configs."""
    return lineup(settings, WEIGHTS)


def settled(settings: Settings) -> Settings:
    """The settings with a drawn seed and absolute paths, so that the film can be gone on with from anywhere."""
    return fixed_seed(with_folder(settings, Path.cwd()))


def _executor(settings: Settings, device: str) -> Executor:
    """What runs the chains: several devices side by side where the settings name them and none is given for now."""
    devices = device_names(settings.devices)
    return ProcessExecutor(settings, devices) if len(devices) > 1 and not device else LocalExecutor()


@contextmanager
def opened_backend(settings: Settings, report: Report, device: str = "") -> Iterator[Backend]:
    """The backend of the settings; its memory is given back at the end, however that comes."""
    here = replace(settings, device=device or settings.device)
    backend = make_backend(here, find_lineup(settings), lambda sentence: report(Event("note", sentence)))
    try:
        yield backend
    except BaseException as error:
        _forget_frames(error)
        raise
    finally:
        backend.close()
        report(Event("released", "Memory released"))


def _forget_frames(error: BaseException | None) -> None:
    """Let go what the functions that an error came through still hold: the networks, which would stay on the device."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


@dataclass(frozen=True)
class _Film:
    """One film being made. changed: values of the plan's `resolved` that became others on the way."""

    settings: Settings
    plan: Plan
    places: FilmPlaces
    backend: Backend
    report: Report
    cancelled: CancelCheck
    changed: dict[str, Any] = field(default_factory=dict)

    def render(self, executor: Executor) -> FilmResult:
        """Render what is missing, encode beside it, and tidy up when the film is whole."""
        store = ClipStore(self.places.clips, self.plan)
        progress = Progress(self.plan, self._reported)
        with folder_lock(self.places.folder):
            self.places.clips.mkdir(exist_ok=True)
            for folder in (self.places.folder, self.places.clips, *filter(Path.is_dir, self.places.clips.rglob("*"))):
                remove_leftovers(folder)
            progress.say("started", message=str(self.places.folder))
            plan = self._with_memory()
            progress.say("ready", message=environment_words(plan))
            assembler = Assembler(self.settings, self.places, store, self.cancelled)
            with assembler:
                job = ChainJob(plan, self.backend, store, progress, self.cancelled)
                work = self._make_clips(job, executor, assembler)
                progress.say("encoding")
            made = replace(plan, seams=work.told(assembler.seams))
            self._tidy_up(made)
        result = _result(made, self.settings, self.places)
        progress.say("film_done", message=str(result.film or result.folder))
        return result

    def _make_clips(self, job: ChainJob, executor: Executor, assembler: Assembler) -> SeamWork:
        """Render every clip and mend the seams; clips are encoded as they come, unless frames may still change."""
        if self.settings.backend == "dry_run":  # its pictures say nothing of seams
            job = replace(job, plan=replace(job.plan, seam_retries=0, seam_repair="none"))
        job = replace(job, seams=SeamWork(job.plan.seam_retries))
        mends = job.plan.seam_repair != "none"
        executor.run(job if mends else replace(job, clip_ready=assembler.clip_ready), job.plan.chains())
        if mends:
            mend_seams(job)
            assembler.all_ready()
        return job.seams

    def _reported(self, event: Event) -> None:
        """Pass an event on; its preview also lies beside the film while that is made."""
        if event.preview is not None:
            write_png(self.places.preview, event.preview)
        self.report(event)

    def _with_memory(self) -> Plan:
        """The plan with what is decided when others have freed the device's memory, which `started` asks them for."""
        settled = {**self.plan.resolved, **self.backend.settle_memory(self.plan, self._keep)}
        plan = replace(self.plan, resolved=settled)
        write_text(self.places.plan, plan_text(plan))
        return plan

    def _keep(self, values: dict[str, Any]) -> None:
        """Write what has to be otherwise from now on into the plan, so that a film that goes on begins with it."""
        self.changed.update(values)
        plan = read_plan(self.places.plan)
        write_text(self.places.plan, plan_text(replace(plan, resolved={**plan.resolved, **self.changed})))

    def _tidy_up(self, made: Plan) -> None:
        self.places.preview.unlink(missing_ok=True)
        made = replace(made, resolved={**made.resolved, **self.changed})
        finished = {**made.resolved, _FINISHED: _fingerprint(made, self.settings)}
        write_text(self.places.plan, plan_text(replace(made, resolved=finished)))
        if not self.settings.keep_clips:
            shutil.rmtree(self.places.clips)


def environment_words(plan: Plan) -> str:
    """What the film is rendered with, for the report."""
    known = [plan.resolved.get(name) for name in ("backend", "device", "device_name", "dtype", "attention")]
    profile = plan.resolved.get("memory_profile")
    words = [str(value) for value in known if value]
    if profile:
        words.append(f"profile {profile}: {plan.resolved.get('memory')}")
        words.append(f"compiled blocks {plan.resolved.get('compile')}")
    return "Environment ready: " + ", ".join(words)


_FINISHED = "finished"
"""Key of the plan's resolved values that says for which plan and settings the film was finished."""


def _fingerprint(plan: Plan, settings: Settings) -> str:
    """A hash of all that decides the film's files."""
    resolved = {name: value for name, value in plan.resolved.items() if name != _FINISHED}
    return value_hash([plan_to_json(replace(plan, resolved=resolved, seams=())), settings_to_mapping(settings)])


def _result(plan: Plan, settings: Settings, places: FilmPlaces) -> FilmResult:
    """What the settings ask for and where it lies."""
    of_seams = seam_notes(plan.seams, plan.fps) if settings.backend == "wan" else ()
    return FilmResult(
        folder=places.folder,
        film={"png": None, "gif": places.gif}.get(settings.codec, places.film),
        plan=places.plan,
        settings=places.settings,
        sheet=places.sheet,
        subtitles=places.subtitles if settings.subtitles else None,
        gif=places.gif if settings.make_gif or settings.codec == "gif" else None,
        frames=places.folder if settings.save_frames or settings.codec == "png" else None,
        notes=(*plan.notes, *of_seams),
    )
