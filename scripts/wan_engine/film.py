"""The front page: settings become a schedule, the schedule a plan, the plan chains of clips, the chains a film.

plan = plan_film(settings)                          what will be made; no model is loaded
made = make_film(settings, report, cancelled)       renders it; what is finished is on disk at every moment
made = resume_film(folder, report, cancelled)       goes on where a film was stopped or killed
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from wan_engine.backends import Backend
from wan_engine.executors import Executor
from wan_engine.executors.registry import check_devices, device_notes, devices_of, make_executor
from wan_engine.families import Lineup
from wan_engine.media.pictures import write_png
from wan_engine.models.lineup import lineup, lineup_notes
from wan_engine.models.lora.check import lora_notes
from wan_engine.models.lora.library import find_loras
from wan_engine.models.memory.outlook import Outlook, look_ahead
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan, plan_text, read_plan
from wan_engine.plan.seam import Seam
from wan_engine.render.assemble import Assembler, Draft, check_output
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore, check_room_for_rest, drop_offered, offer_clips
from wan_engine.render.events import CancelCheck, Event, Report
from wan_engine.render.mend import mend_seams
from wan_engine.render.opened import environment_words, opened_backend
from wan_engine.render.progress import Progress
from wan_engine.render.request import picture_notes
from wan_engine.render.result import (
    FILES,
    FINISHED,
    FilmResult,
    file_hashes,
    film_result,
    fingerprint,
    has_other_files,
)
from wan_engine.render.seam_work import SeamWork
from wan_engine.schedule.project import load_project, project_to_text, with_folder
from wan_engine.schedule.seeds import fixed_seed
from wan_engine.settings import Settings, settings_to_mapping
from wan_engine.storage.atomic import remove_leftovers, write_text
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.places import (
    FilmPlaces,
    check_free_space,
    film_folder,
    open_film_folder,
    outputs_root,
)
from wan_engine.tiny import WEIGHTS


def plan_film(settings: Settings) -> Plan:
    """What would be made of these settings. Loads no model.

    Raises InputError, CapabilityError or ModelError, and MediaError for a picture that cannot be read.
    """
    settings = settled(settings)
    models = find_lineup(settings)
    plan = build_plan(settings, models, find_loras(settings))
    of_loras = lora_notes(plan, models) if settings.backend == "wan" else ()
    of_models = lineup_notes(models) if settings.backend == "wan" else ()
    of_devices = device_notes(plan, settings)
    return replace(plan, notes=(*plan.notes, *of_models, *of_loras, *picture_notes(plan), *of_devices))


def film_memory(settings: Settings, plan: Plan) -> Outlook | None:
    """What the plan's models will take of the memory, before anything is loaded; None where no model is needed."""
    here = with_folder(settings, Path.cwd())
    return look_ahead(here, plan, find_lineup(here)) if settings.backend == "wan" else None


def check_film(settings: Settings) -> Plan:
    """As `plan_film`, after trying also the encoder, the soundtrack and the free space: nothing is left to refuse.

    settings: with a drawn seed. Raises also MediaError and StorageError. Only devices are looked at later, for the
    service's server does not load torch.
    """
    plan = plan_film(settings)
    check_output(plan, settings)
    check_free_space(outputs_root(settings), plan.disk_bytes)
    return plan


def make_film(
    settings: Settings,
    report: Report,
    cancelled: CancelCheck,
    devices: Sequence[str] = (),
    earlier: FilmPlaces | None = None,
) -> FilmResult:
    """Plan, render and encode a film into a folder of its own.

    Everything that can be wrong with the input is found before the first step. Raises Cancelled within a step of the
    wish; the folder can then be given to `resume_film`. devices: where to render now, in place of the settings' own.
    earlier: a film whose clips are used where they would come out the same.
    """
    settings = settled(settings)
    plan = check_film(settings)
    devices = devices or devices_of(settings)
    check_devices(settings, devices)
    with opened_backend(settings, report, devices[0]) as backend:
        plan = replace(plan, resolved={"backend": settings.backend, **backend.resolve(plan)})
        sized = replace(settings, width=plan.width, height=plan.height)  # what {w} and {h} in batch_name stand for
        places = film_folder(sized, datetime.now())
        write_text(places.settings, project_to_text(settings))
        write_text(places.plan, plan_text(plan))
        if earlier is not None:
            offer_clips(earlier.clips, places.clips, plan)
        film = _Film(settings, plan, places, backend, report, cancelled)
        return film.render(make_executor(settings, devices))


def resume_film(folder: Path, report: Report, cancelled: CancelCheck, devices: Sequence[str] = ()) -> FilmResult:
    """Go on with a film that was stopped, by the plan in its folder: what is finished is kept.

    A plan changed by hand, or pictures with another content, render again just what differs; a finished film stays as
    it is. Raises StorageError or InputError if the folder holds no plan. devices: where to render now, in place of the
    settings' own.
    """
    places = open_film_folder(folder)
    plan, settings = read_plan(places.plan), load_project(places.settings).settings
    made = film_result(plan, settings, places)
    is_finished = plan.resolved.get(FINISHED) == fingerprint(plan, settings_to_mapping(settings)) and made.is_there()
    if is_finished and not has_other_files(plan):
        return made
    check_output(plan, settings)
    check_room_for_rest(plan, places.clips)
    devices = devices or devices_of(settings)
    check_devices(settings, devices)
    with opened_backend(settings, report, devices[0]) as backend:
        plan = replace(plan, resolved={**plan.resolved, **backend.resolve(plan)})
        film = _Film(settings, plan, places, backend, report, cancelled)
        return film.render(make_executor(settings, devices))


def forget_clips(folder: Path, clips: Collection[int]) -> None:
    """Have `resume_film` render these clips of a film again, by number from 0. Raises StorageError or InputError."""
    places = open_film_folder(folder)
    plan = read_plan(places.plan)
    store = ClipStore(places.clips, plan)
    for clip in plan.clips:
        if clip.index in clips:
            store.forget(clip)
    resolved = {name: value for name, value in plan.resolved.items() if name != FINISHED}
    write_text(places.plan, plan_text(replace(plan, resolved=resolved)))


def find_lineup(settings: Settings) -> Lineup:
    """The models the settings name, or the embedded small one, told from their configs."""
    return lineup(settings, WEIGHTS)


def settled(settings: Settings) -> Settings:
    """The settings with a drawn seed and absolute paths, so that the film can be gone on with from anywhere."""
    return fixed_seed(with_folder(settings, Path.cwd()))


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
            plan = self._with_machine()
            progress.say("ready", message=environment_words(plan))
            job = ChainJob(plan, self.backend, store, progress, self.cancelled)
            made = replace(plan, seams=self._make(job, executor))
            self._tidy_up(made)
        result = film_result(made, self.settings, self.places)
        progress.say("film_done", message=str(result.film or result.folder))
        return result

    def _make(self, job: ChainJob, executor: Executor) -> tuple[Seam, ...]:
        """Render every clip, mend the seams and encode the film; gives what its seams look like.

        Clips are encoded as they come. While their seams are still to be mended that is a draft, kept if it stops.
        """
        if self.settings.backend == "dry_run":  # its pictures say nothing of seams
            job = replace(job, plan=replace(job.plan, seam_retries=0, seam_repair="none"))
        job = replace(job, seams=SeamWork(job.plan.seam_retries))
        mends = job.plan.seam_repair != "none"
        encoding = (self.settings, self.places, job.store, self.cancelled)
        if mends:
            with Draft(*encoding) as draft:
                executor.run(replace(job, clip_ready=draft.clip_ready), job.plan.chains())
                mend_seams(job)
        with Assembler(*encoding) as assembler:
            if mends:
                assembler.all_ready()
            else:
                executor.run(replace(job, clip_ready=assembler.clip_ready), job.plan.chains())
            job.progress.say("encoding")
        return job.seams.told(assembler.seams)

    def _reported(self, event: Event) -> None:
        """Pass an event on; its preview also lies beside the film while that is made."""
        if event.preview is not None:
            write_png(self.places.preview, event.preview)
        self.report(event)

    def _with_machine(self) -> Plan:
        """The plan with what holds from here on: the content of the user's files, and the use of the device's memory.

        That is decided when others have freed it, which `started` asks them for.
        """
        found = {FILES: file_hashes(self.plan, self.settings), **self.backend.settle_memory(self.plan, self._keep)}
        plan = replace(self.plan, resolved={**self.plan.resolved, **found})
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
        finished = {**made.resolved, FINISHED: fingerprint(made, settings_to_mapping(self.settings))}
        write_text(self.places.plan, plan_text(replace(made, resolved=finished)))
        drop_offered(self.places.clips)
        if not self.settings.keep_clips:
            shutil.rmtree(self.places.clips)
