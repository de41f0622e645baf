"""A process that works on jobs on one device, one after the other: `python -m wan_engine.service.worker`.

It ends by itself when there is nothing to do, so that all memory of its GPU comes back, and when its server is gone and
the job in hand is done. Asked to stop, it gives the job back within a step.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from wan_engine.errors import Cancelled, StorageError, WanError
from wan_engine.film import make_film, plan_film, resume_film
from wan_engine.outpaint import OutpaintResult, make_outpaint, preview_outpaint, resume_outpaint
from wan_engine.plan.model import read_plan
from wan_engine.render.events import CancelCheck, Event, Report, stopped
from wan_engine.render.result import FilmResult
from wan_engine.schedule.storyboard_file import storyboard_to_values
from wan_engine.service.borrowed import Lender, job_devices
from wan_engine.service.config import ServiceConfig, read_config
from wan_engine.service.heartbeat import Heartbeat
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
from wan_engine.storage.atomic import storage_error
from wan_engine.storage.lock import folder_lock
from wan_engine.storage.places import check_free_space, open_film_folder, outputs_root
from wan_engine.storyboard.story import Desk
from wan_engine.tools.scenes.split import split_films

log = logging.getLogger("wan_engine.service.worker")  # by name: this module is run as __main__

STOP = b"s"
"""What a server writes into a worker's stdin to have it stop. It works everywhere; Windows has no SIGTERM to catch."""

Made = tuple[tuple[str, ...], dict[str, Any]]
"""What a job made: what the user should know of it, and the paths by name."""

_MANY = 500
"""More jobs than there are devices."""

LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@dataclass
class Wishes:
    """What is wanted of the worker. stopping: give the job back and end.  orphaned: the server is gone."""

    stopping: bool = False
    orphaned: bool = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """SIGTERM or Ctrl-C."""
        self.stopping = True

    def listen(self) -> None:
        """Read the server's end of stdin: a word means stop, its end that the server is gone."""
        # Not through sys.stdin: its lock would be held by this thread when the process ends.
        if os.read(0, 1):
            self.stopping = True
        else:
            self.orphaned = True


class Worker:
    """Claims jobs for its device and renders them.

    auto: also takes jobs that name no device. Raises StorageError when the database cannot be used.
    """

    def __init__(self, config: ServiceConfig, device: str, auto: bool, wishes: Wishes) -> None:
        self.name = f"{device.replace(':', '-')}-{os.getpid()}-{secrets.token_hex(3)}"
        self._config = config
        self._device = device
        self._me = WorkerInfo(device, self.name, os.getpid(), psutil.Process().create_time())
        self._auto = auto
        self._wishes = wishes
        self._store = JobStore(config.database)
        self._board = WorkerBoard(self._store.database, config.timing.lease)
        self._heartbeat = Heartbeat(self._store, self._board, self.name, config.timing)

    def run(self) -> None:
        """Work until there is nothing to do for a while, the server is gone or the worker is to stop."""
        if not self._board.enter(self._me):
            log.warning("Another worker has %s", self._device)
            return
        try:
            with self._heartbeat:
                self._work()
        finally:
            self._board.leave(self.name)
            self._store.close()

    def _work(self) -> None:
        timing, last_work = self._config.timing, time.monotonic()
        while not (self._wishes.stopping or self._wishes.orphaned):
            job = self._store.claim(self.name, self._device, timing.lease, self._auto)
            if job is not None:
                self._take(job)
                last_work = time.monotonic()
            elif time.monotonic() - last_work > timing.worker_idle:
                log.info("Nothing to do")
                return
            else:
                time.sleep(timing.poll)

    def _take(self, job: Job) -> None:
        """Render a job and store what became of it; whatever goes wrong ends this job alone."""
        held = self._heartbeat.hold(job.id)
        try:
            with _job_log(self._config.log(job.id)):
                self._attempt(job, lambda: self._wishes.stopping or held.stop_wanted)
        except StorageError as error:
            log.warning("%s", error)
            self._store.finish(job.id, self.name, "failed", error=error.as_dict())
        self._heartbeat.drop()

    def _attempt(self, job: Job, cancelled: CancelCheck) -> None:
        log.info("Begun on %s, attempt %d", self._device, job.attempts)
        try:
            works = {"render": self._render, "split": self._split, "outpaint": self._outpaint}
            works |= {"storyboard": self._story, "keyframes": self._story}
            notes, result = works[job.kind](job, cancelled)
        except Cancelled:
            self._stopped(job)
        except WanError as error:
            log.warning("Failed: %s", error)
            self._store.finish(job.id, self.name, "failed", error=error.as_dict())
        except Exception as error:
            log.exception("Failed unexpectedly")
            self._store.finish(job.id, self.name, "failed", error=_unexpected(error))
        else:
            self._store.add_notes(job.id, notes)
            self._store.finish(job.id, self.name, "done", result=result)
            log.info("Done")

    def _stopped(self, job: Job) -> None:
        if self._wishes.stopping:
            ended = self._store.release(job.id, self.name)
        else:
            ended = self._store.finish(job.id, self.name, "cancelled")
        log.info("Stopped; the job is %s", ended.state if ended else "another worker's by now")

    def _render(self, job: Job, cancelled: CancelCheck) -> Made:
        settings = self._settings(job)
        check_free_space(Path(job.folder) if job.folder else outputs_root(settings), self._config.min_free_bytes)
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
        wanted = job_devices(settings.devices, self._device)
        if len(wanted) == 1:
            return wanted
        plan = read_plan(open_film_folder(Path(job.folder)).plan) if job.folder else plan_film(settings)
        return wanted[: len(plan.chains())]

    @contextmanager
    def _devices(self, wanted: Sequence[str], report: Report, cancelled: CancelCheck) -> Iterator[tuple[str, ...]]:
        """The wanted devices, the worker's own among them, without those that are busy: the job is told which."""
        lender = Lender(self._board, self._me, self._store.busy_workers, self._config.timing.poll)
        with lender.lent(wanted, cancelled) as devices:
            missing = [device for device in dict.fromkeys(wanted) if device not in devices]
            if missing:
                report(Event("note", f"Rendered without {', '.join(missing)}: other jobs run there"))
            yield devices

    def _report(self, job: Job, backend: str, cancelled: CancelCheck) -> JobReport:
        """Where a job that loads models reports to; it asks the WebUIs for the GPU's memory first."""
        timing = self._config.timing
        hosts = HostsBoard(self._store.database, timing.host_fresh)
        memory = MemoryRequest(self._store, hosts, self.name, timing.poll, timing.host_wait)
        uses_gpu = self._device != "cpu" and backend != "dry_run"
        return JobReport(self._store, job, self._config, cancelled, memory if uses_gpu else None)

    def _outpaint(self, job: Job, cancelled: CancelCheck) -> Made:
        order, preview, frame = outpaint_order_of(job.settings)
        folder = Path(job.folder) if job.folder else Path(order.settings.output_dir)
        check_free_space(folder, self._config.min_free_bytes)
        report = self._report(job, order.settings.backend, cancelled)
        if preview:
            looks, places = preview_outpaint(order, report, cancelled, self._device, frame)
            return (), {"folder": str(places.folder), **{name: str(path) for name, path in looks.items()}}
        if job.folder:
            self._wait_for_folder(folder, cancelled)
            made = resume_outpaint(folder, report, cancelled, self._device)
        else:
            made = make_outpaint(order, report, cancelled, self._device)
        return made.notes, _paths(made)

    def _split(self, job: Job, cancelled: CancelCheck) -> Made:
        order = split_order_of(job.settings)
        check_free_space(order.folder(), self._config.min_free_bytes)
        if job.folder:
            self._wait_for_folder(Path(job.folder), cancelled)
        # The network is too small to ask a WebUI for memory, and is not right on other GPUs than CUDA's.
        report = JobReport(self._store, job, self._config, cancelled, None)
        device = self._device if self._device.startswith("cuda") else "cpu"
        made = split_films(order, report, cancelled, device)
        return made.notes, {"folder": str(made.folder), "films": [film.as_dict() for film in made.films]}

    def _story(self, job: Job, cancelled: CancelCheck) -> Made:
        order = story_order_of(job.settings)
        check_free_space(order.file, self._config.min_free_bytes)
        for folder in filter(None, (job.folder and str(order.file.parent), job.folder)):
            self._wait_for_folder(Path(folder), cancelled)
        report = self._report(job, "wan", cancelled)
        services = services_here(self._config.home, HostsBoard(self._store.database, self._config.timing.host_fresh))
        with self._devices(job_devices(order.film_devices(), self._device), report, cancelled) as devices:
            desk = Desk(order.file, services, report, cancelled, devices, lambda: self._wait_for_webui(cancelled))
            made = work_on_story(order, desk)
        film = _paths(made.film) if made.film else {"folder": str(order.file.parent)}
        notes = (*made.notes, *(made.film.notes if made.film else ()))
        result = {**film, "file": str(order.file), "storyboard": storyboard_to_values(made.storyboard)}
        return notes, {**result, "usage": asdict(made.usage)} if made.usage else result

    def _wait_for_webui(self, cancelled: CancelCheck) -> None:
        """Wait while another job has the WebUI's memory: its model is out then, and its queue may be held for that."""
        while any(job.asks_memory for job in self._store.list(["running"], limit=_MANY)):
            if cancelled():
                raise stopped()
            time.sleep(self._config.timing.poll)

    def _settings(self, job: Job) -> Settings:
        """The job's settings, with the service's own folder for films where they name none."""
        settings = settings_from_mapping(job.settings)
        return replace(settings, output_dir=settings.output_dir.strip() or str(self._config.outputs))

    def _wait_for_folder(self, folder: Path, cancelled: CancelCheck) -> None:
        """Wait until a worker that was given up, but still lives, has let go of the film. Raises StorageError."""
        until = time.monotonic() + 2 * self._config.timing.lease
        while not cancelled():
            try:
                with folder_lock(folder):
                    return
            except StorageError:
                if time.monotonic() > until:
                    raise
            time.sleep(self._config.timing.poll)
        raise stopped()


def _paths(made: FilmResult | OutpaintResult) -> dict[str, str]:
    """The paths of what was made, by name."""
    return {name: str(path) for name, path in vars(made).items() if isinstance(path, Path)}


def _unexpected(error: Exception) -> dict[str, Any]:
    message = f"Unexpected error: {type(error).__name__}: {error}"
    return {"error": "UnexpectedError", "message": message, "remedy": "The job's log holds the traceback"}


@contextmanager
def _job_log(path: Path) -> Iterator[None]:
    """What is logged meanwhile also goes into the job's own file, after what earlier attempts left there.

    Raises StorageError.
    """
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="replace")
    except OSError as error:
        raise storage_error(path, error) from error
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _be_polite() -> None:
    """Leave the CPU to the server and the rest of the machine when they want it."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(10)


def main(arguments: Sequence[str]) -> int:
    """Run a worker; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m wan_engine.service.worker", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the state folder of the engine")
    parser.add_argument("--device", required=True, help="where it renders: cpu, cuda:0, mps, xpu:0")
    parser.add_argument("--auto", action="store_true", help="also take jobs that name no device")
    parser.add_argument("--lifeline", action="store_true", help="stdin is held by the server: its end is the server's")
    given = parser.parse_args(arguments)
    logging.basicConfig(format=LOG_FORMAT, stream=sys.stderr)
    logging.getLogger("wan_engine").setLevel(logging.INFO)
    wishes = Wishes()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, wishes.on_signal)
    if given.lifeline:
        threading.Thread(target=wishes.listen, name="lifeline", daemon=True).start()
    if given.device == "cpu":
        _be_polite()
    Worker(read_config(given.home), given.device, given.auto, wishes).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
