"""A worker's sign of life: a thread that renews the lease of the job in hand and hears the wish to stop it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from wan_engine.errors import StorageError
from wan_engine.service.config import Timing
from wan_engine.service.store import JobStore
from wan_engine.service.worker_board import WorkerBoard

log = logging.getLogger(__name__)


@dataclass
class Held:
    """A job in hand. stop_wanted: its user wants it stopped, or it was taken from this worker."""

    job_id: str
    stop_wanted: bool = False


class Heartbeat:
    """Beats for a worker and, while it holds one, for its job. Entered, it runs; left, it is still."""

    def __init__(self, store: JobStore, board: WorkerBoard, worker: str, timing: Timing) -> None:
        self._store = store
        self._board = board
        self._worker = worker
        self._timing = timing
        self._held: Held | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def hold(self, job_id: str) -> Held:
        """Beat for this job from now on, in place of any other."""
        self._held = Held(job_id)
        return self._held

    def drop(self) -> None:
        """Beat for no job."""
        self._held = None

    def _run(self) -> None:
        last = float("-inf")
        while not self._ended.wait(self._timing.poll):
            renews = time.monotonic() - last >= self._timing.renew
            last = time.monotonic() if renews else last
            try:
                self._beat(self._held, renews)
            except StorageError as error:
                # Worth another try: the lease lasts for several beats.
                log.warning("No sign of life could be given: %s", error)

    def _beat(self, held: Held | None, renews: bool) -> None:
        if renews:
            self._board.beat(self._worker)
        if held is None:
            return
        if renews:
            wanted = self._store.renew(held.job_id, self._worker, self._timing.lease)
        else:
            wanted = self._store.stop_wanted(held.job_id, self._worker)
        held.stop_wanted = held.stop_wanted or wanted
