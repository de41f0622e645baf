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
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from wan_engine.errors import Cancelled, StorageError, WanError
from wan_engine.render.events import CancelCheck
from wan_engine.service.config import ServiceConfig, read_config
from wan_engine.service.heartbeat import Heartbeat
from wan_engine.service.records import Job
from wan_engine.service.store import JobStore
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo
from wan_engine.service.works import Works
from wan_engine.storage.atomic import storage_error

log = logging.getLogger("wan_engine.service.worker")  # by name: this module is run as __main__

STOP = b"s"
"""What a server writes into a worker's stdin to have it stop. It works everywhere; Windows has no SIGTERM to catch."""

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
        self._works = Works(config, self._store, self._board, self._me)

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
            notes, result = self._works.do(job, cancelled)
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
