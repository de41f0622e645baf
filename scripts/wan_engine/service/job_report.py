"""What a film reports while it is made, passed on to the job's record, events, log and preview picture."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path

from wan_engine.errors import StorageError
from wan_engine.media.pictures import write_jpeg
from wan_engine.render.events import CancelCheck, Event
from wan_engine.service.config import ServiceConfig
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.records import Job, Progress
from wan_engine.service.store import JobStore

log = logging.getLogger(__name__)

STEP_SECONDS = 0.25
"""Least time between two recorded steps: more often nobody looks, and each is a write to the disk."""


@dataclass(frozen=True)
class MemoryRequest:
    """Asks the WebUIs for the memory of the GPUs before a job loads its models.

    poll, longest: seconds between looks and of the whole wait.
    """

    store: JobStore
    hosts: HostsBoard
    worker: str
    poll: float
    longest: float

    def wait(self, job: Job, cancelled: CancelCheck) -> None:
        """Return when every living WebUI has freed its memory, the user wants to stop, or it took too long."""
        self.store.ask_memory(job.id, self.worker)
        waiting, until = self.hosts.waiting(job.id), time.monotonic() + self.longest
        if waiting:
            self.store.append_event(job.id, "note", "Waiting for the WebUI to free its GPU memory")
        while waiting and not cancelled():
            if time.monotonic() > until:
                note = f"The WebUI has not freed its GPU memory within {self.longest:g} s; rendering goes on beside it"
                log.warning("%s (%s)", note, ", ".join(waiting))
                self.store.append_event(job.id, "note", note)
                self.store.add_notes(job.id, [note])
                return
            time.sleep(self.poll)
            waiting = self.hosts.waiting(job.id)


class JobReport:
    """Takes a film's events (see `render.events.Report`).

    memory: asked when the film has begun, before a model is loaded; None where no GPU is used.
    """

    def __init__(
        self, store: JobStore, job: Job, config: ServiceConfig, cancelled: CancelCheck, memory: MemoryRequest | None
    ) -> None:
        self._store = store
        self._job = job
        self._preview = config.preview(job.id)
        self._cancelled = cancelled
        self._memory = memory
        self._progress = job.progress
        self._last_step = float("-inf")

    def __call__(self, event: Event) -> None:
        """Pass one event on. Only the film's folder must not be lost; all else is a look at the work."""
        if event.kind in ("started", "story"):
            self._store.set_folder(self._job.id, self._job.worker, Path(event.message))
        if event.kind != "step":
            log.info("%s", event.words)
        if event.kind == "note":
            self._store.append_event(self._job.id, "note", event.message)
            self._store.add_notes(self._job.id, [event.message])
            return
        try:
            self._show(event)
        except StorageError as error:
            log.warning("The progress could not be shown: %s", error)
        if event.kind in ("started", "memory_wanted") and self._memory is not None:
            self._memory.wait(self._job, self._cancelled)

    def _show(self, event: Event) -> None:
        if event.attempt is not None:
            self._store.append_event(self._job.id, event.kind, event.message, event.attempt.as_dict())
            return
        if event.preview is not None:
            write_jpeg(self._preview, event.preview)
        now = time.monotonic()
        if event.kind == "step":
            told = event.preview is not None or event.step == event.steps
            if not told and now - self._last_step < STEP_SECONDS:
                return
            self._last_step = now
        self._progress = _further(self._progress, event)
        self._store.record(self._job.id, self._job.worker, self._progress, event.data)


def _further(progress: Progress, event: Event) -> Progress:
    """Where the film stands after an event. One that is not about the film's clips leaves the numbers as they are."""
    if not event.clips:
        return replace(progress, kind=event.kind, message=event.message)
    shared = [entry.name for entry in fields(Progress) if entry.name != "preview_number"]
    number = progress.preview_number + (event.preview is not None)
    return Progress(**{name: getattr(event, name) for name in shared}, preview_number=number)
