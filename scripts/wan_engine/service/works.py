"""What a worker does for a job of each kind: films, outpaints, splits, storyboards."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import StorageError
from wan_engine.film import make_film, plan_film, resume_film
from wan_engine.outpaint import OutpaintResult, make_outpaint, preview_outpaint, resume_outpaint
from wan_engine.plan.model import read_plan
from wan_engine.render.events import CancelCheck, Event, Report, stopped
from wan_engine.render.result import FilmResult
from wan_engine.schedule.storyboard_file import storyboard_to_values
from wan_engine.service.borrowed import Lender, job_devices
from wan_engine.service.config import ServiceConfig
from wan_engine.service.host_pictures import services_here
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.job_report import JobReport, MemoryRequest
from wan_engine.service.outpaint_orders import outpaint_order_of
from wan_engine.service.records import Job
from wan_engine.service.split_orders import split_order_of
from wan_engine.service.store import JobStore
from wan_engine.service.story_orders import story_order_of, work_on_story
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo
from wan_engine.settings import Settings
from wan_engine.settings_check import settings_from_mapping
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.places import check_free_space, open_film_folder, outputs_root
from wan_engine.storyboard.story import Desk
from wan_engine.tools.scenes.split import split_films

Made = tuple[tuple[str, ...], dict[str, Any]]
"""What a job made: what the user should know of it, and the paths by name."""

_MANY = 500
"""More jobs than there are devices."""


@dataclass(frozen=True)
class Works:
    """Does jobs on the device of one worker, and on others where a film names them. me: the worker."""

    config: ServiceConfig
    store: JobStore
    board: WorkerBoard
    me: WorkerInfo

    def do(self, job: Job, cancelled: CancelCheck) -> Made:
        """Do a job, or go on with it. Raises Cancelled, and what the work of its kind raises."""
        works = {"render": self._render, "split": self._split, "outpaint": self._outpaint}
        works |= {"storyboard": self._story, "keyframes": self._story}
        return works[job.kind](job, cancelled)

    def _render(self, job: Job, cancelled: CancelCheck) -> Made:
        settings = self._settings(job)
        check_free_space(Path(job.folder) if job.folder else outputs_root(settings), self.config.min_free_bytes)
        report = self._report(job, settings.backend, cancelled)
        with self._devices(self._useful(job, settings), report, cancelled) as devices:
            if not job.folder:
                made = make_film(settings, report, cancelled, devices)
            else:
                self._wait_for_folder(Path(job.folder), cancelled)
                made = resume_film(Path(job.folder), report, cancelled, devices)
        return made.notes, _paths(made)

    def _useful(self, job: Job, settings: Settings) -> tuple[str, ...]:
        """The devices of a film, as many as it has parts for; the plan's notes tell of the others."""
        wanted = job_devices(settings.devices, self.me.device)
        if len(wanted) == 1:
            return wanted
        plan = read_plan(open_film_folder(Path(job.folder)).plan) if job.folder else plan_film(settings)
        return wanted[: len(plan.chains())]

    @contextmanager
    def _devices(self, wanted: Sequence[str], report: Report, cancelled: CancelCheck) -> Iterator[tuple[str, ...]]:
        """The wanted devices, the worker's own among them, without those that are busy: the job is told which."""
        lender = Lender(self.board, self.me, self.store.busy_workers, self.config.timing.poll)
        with lender.lent(wanted, cancelled) as devices:
            missing = [device for device in dict.fromkeys(wanted) if device not in devices]
            if missing:
                report(Event("note", f"Rendered without {', '.join(missing)}: other jobs run there"))
            yield devices

    def _report(self, job: Job, backend: str, cancelled: CancelCheck) -> JobReport:
        """Where a job that loads models reports to; it asks the WebUIs for the GPU's memory first."""
        timing = self.config.timing
        hosts = HostsBoard(self.store.database, timing.host_fresh)
        memory = MemoryRequest(self.store, hosts, self.me.worker, timing.poll, timing.host_wait)
        uses_gpu = self.me.device != "cpu" and backend != "dry_run"
        return JobReport(self.store, job, self.config, cancelled, memory if uses_gpu else None)

    def _outpaint(self, job: Job, cancelled: CancelCheck) -> Made:
        order, preview, frame = outpaint_order_of(job.settings)
        folder = Path(job.folder) if job.folder else Path(order.settings.output_dir)
        check_free_space(folder, self.config.min_free_bytes)
        report = self._report(job, order.settings.backend, cancelled)
        if preview:
            looks, places = preview_outpaint(order, report, cancelled, self.me.device, frame)
            return (), {"folder": str(places.folder), **{name: str(path) for name, path in looks.items()}}
        if job.folder:
            self._wait_for_folder(folder, cancelled)
            made = resume_outpaint(folder, report, cancelled, self.me.device)
        else:
            made = make_outpaint(order, report, cancelled, self.me.device)
        return made.notes, _paths(made)

    def _split(self, job: Job, cancelled: CancelCheck) -> Made:
        order = split_order_of(job.settings)
        check_free_space(order.folder(), self.config.min_free_bytes)
        if job.folder:
            self._wait_for_folder(Path(job.folder), cancelled)
        # The network is too small to ask a WebUI for memory, and is not right on other GPUs than CUDA's.
        report = JobReport(self.store, job, self.config, cancelled, None)
        device = self.me.device if self.me.device.startswith("cuda") else "cpu"
        made = split_films(order, report, cancelled, device)
        return made.notes, {"folder": str(made.folder), "films": [film.as_dict() for film in made.films]}

    def _story(self, job: Job, cancelled: CancelCheck) -> Made:
        order = story_order_of(job.settings)
        check_free_space(order.file, self.config.min_free_bytes)
        for folder in filter(None, (job.folder and str(order.file.parent), job.folder)):
            self._wait_for_folder(Path(folder), cancelled)
        report = self._report(job, "wan", cancelled)
        services = services_here(self.config.home, HostsBoard(self.store.database, self.config.timing.host_fresh))
        with self._devices(job_devices(order.film_devices(), self.me.device), report, cancelled) as devices:
            desk = Desk(order.file, services, report, cancelled, devices, lambda: self._wait_for_webui(cancelled))
            made = work_on_story(order, desk)
        film = _paths(made.film) if made.film else {"folder": str(order.file.parent)}
        notes = (*made.notes, *(made.film.notes if made.film else ()))
        result = {**film, "file": str(order.file), "storyboard": storyboard_to_values(made.storyboard)}
        return notes, {**result, "usage": asdict(made.usage)} if made.usage else result

    def _wait_for_webui(self, cancelled: CancelCheck) -> None:
        """Wait while another job has the WebUI's memory: its model is out then, and its queue may be held for that."""
        while any(job.asks_memory for job in self.store.list(["running"], limit=_MANY)):
            if cancelled():
                raise stopped()
            time.sleep(self.config.timing.poll)

    def _settings(self, job: Job) -> Settings:
        """The job's settings, with the service's own folder for films where they name none."""
        settings = settings_from_mapping(job.settings)
        return replace(settings, output_dir=settings.output_dir.strip() or str(self.config.outputs))

    def _wait_for_folder(self, folder: Path, cancelled: CancelCheck) -> None:
        """Wait until a worker that was given up, but still lives, has let go of the film. Raises StorageError."""
        until = time.monotonic() + 2 * self.config.timing.lease
        while not cancelled():
            try:
                with folder_lock(folder):
                    return
            except StorageError:
                if time.monotonic() > until:
                    raise
            time.sleep(self.config.timing.poll)
        raise stopped()


def _paths(made: FilmResult | OutpaintResult) -> dict[str, str]:
    """The paths of what was made, by name."""
    return {name: str(path) for name, path in vars(made).items() if isinstance(path, Path)}
