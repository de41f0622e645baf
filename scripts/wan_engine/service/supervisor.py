"""Keeps the right workers running: starts one a device when jobs want it, ends those that hang, replaces dead ones."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from wan_engine.errors import CapabilityError, RenderError, StorageError, WanError
from wan_engine.service.config import ServiceConfig
from wan_engine.service.devices import Device, DeviceList, auto_devices
from wan_engine.service.records import AUTO
from wan_engine.service.retention import sweep
from wan_engine.service.store import JobStore
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo
from wan_engine.service.worker_process import WorkerProcess

log = logging.getLogger(__name__)

MOST_STARTS = 3
"""Starts that a worker may fail in a row before the jobs that wait for it are told."""

FIRST_WAIT = 2.0
"""Seconds after a failed start until the next one; twice as long after each further failure."""

_LONGEST_WAIT = 60.0

_STOP_SECONDS = 10.0
"""Longest wait for workers to give their jobs back; one in a longer step does so by itself, later."""


class Supervisor:
    """A thread of the server that looks after the workers, several times a second.

    A worker of an earlier server counts like one of its own: there are never two for a device.
    """

    def __init__(self, config: ServiceConfig, store: JobStore, devices: DeviceList) -> None:
        self._config = config
        self._store = store
        self._devices = devices
        self._board = WorkerBoard(store.database, config.timing.lease, store.clock)
        self._children: dict[str, WorkerProcess] = {}
        self._starts: dict[str, _Starts] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._last_look = store.clock()
        self._patient_until = float("-inf")
        self._next_sweep = float("-inf")

    def start(self) -> None:
        """Begin to look after the workers."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the workers that this server started to give their jobs back and end, and wait for them a while."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for child in self._children.values():
            child.stop()
        until = time.monotonic() + _STOP_SECONDS
        for child in self._children.values():
            if not child.wait(max(0.0, until - time.monotonic())):
                log.warning("The worker for %s goes on to the end of its step", child.device)

    def look(self) -> None:
        """Do once what is to be done now. Raises StorageError."""
        self._note_time()
        self._see_children()
        if self._store.clock() >= self._patient_until:
            self._end_disobedient()
            living = self._end_silent()
            self._store.reap_expired(living=living)
        self._start_wanted()
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + self._config.timing.sweep
            sweep(self._config, self._store)

    def _run(self) -> None:
        self._devices.known()  # asked for now, so that the first job does not wait for it
        while not self._ended.wait(self._config.timing.poll):
            try:
                self.look()
            except StorageError as error:
                log.warning("The workers cannot be looked after: %s", error)
            except Exception:
                log.exception("The workers cannot be looked after")

    def _note_time(self) -> None:
        """After the machine has slept every lease has run out, and no worker is to blame: give them time to beat."""
        now, lease = self._store.clock(), self._config.timing.lease
        if now - self._last_look > lease:
            self._patient_until = now + lease
        self._last_look = now

    def _see_children(self) -> None:
        """Notice who has begun to work and who has ended."""
        there = {info.pid: info for info in self._board.all()}
        for device, child in list(self._children.items()):
            if child.pid in there and not child.entered:
                child.entered = True
                self._starts.pop(device, None)
            code = child.ended()
            if code is None:
                continue
            del self._children[device]
            if child.pid in there:
                self._board.leave(there[child.pid].worker)
            if code and child.entered:
                log.warning("The worker for %s ended with code %d", device, code)
            elif code:
                self._start_failed(child, code)

    def _start_failed(self, child: WorkerProcess, code: int) -> None:
        words = child.last_words()
        log.warning("The worker for %s ended at its start with code %d: %s", child.device, code, words)
        starts = self._starts.setdefault(child.device, _Starts())
        starts.failed()
        if starts.failures < MOST_STARTS:
            return
        message = f"the worker process for {child.device} ends at its start: {words or f'exit code {code}'}"
        error = RenderError(message, "wan-engine doctor says what is wrong with the environment")
        self._store.fail_queued(child.device, error)
        # A job for any device waits as long as one of them may still work.
        if all(self._is_broken(device) for device in auto_devices(self._devices.known())):
            self._store.fail_queued(AUTO, error)

    def _is_broken(self, device: str) -> bool:
        return device in self._starts and self._starts[device].failures >= MOST_STARTS

    def _end_disobedient(self) -> None:
        """Kill the workers that have not stopped a job long after they were asked to."""
        workers = {info.worker: info for info in self._board.all()}
        for job in self._store.overdue(self._config.timing.cancel_patience):
            info = workers.get(job.worker)
            if info is None:
                continue  # it is dead already, and the lease runs out
            log.warning("The worker for %s did not stop and is killed", info.device)
            info.kill()
            self._board.leave(info.worker)
            self._store.append_event(job.id, "note", "The worker did not stop and was killed")
            self._store.finish(job.id, job.worker, "cancelled")

    def _end_silent(self) -> set[str]:
        """Free the devices of dead workers, and of those that hang; gives the names of those that live.

        A process that is there and silent may be held up, by a slow disk for instance: it has longer than its lease.
        """
        timing, living = self._config.timing, set()
        for info in self._board.all():
            there = info.silent <= timing.lease or info.process() is not None
            if there and info.silent > timing.lease + timing.cancel_patience:
                log.warning("The worker for %s gave no sign of life for %.0f s and is killed", info.device, info.silent)
                info.kill()
                there = False
            if there:
                living.add(info.worker)
            else:
                self._board.leave(info.worker)
        return living

    def _start_wanted(self) -> None:
        """Start workers for the devices that queued jobs want and that have none."""
        wanted = self._store.wanted_devices()
        devices = self._known_devices(wanted) if wanted else ()
        if not devices:
            return
        names = [device.name for device in devices]
        for device in wanted.keys() - {AUTO, *names}:
            message = f'this machine has no device "{device}"'
            self._store.fail_queued(device, CapabilityError(message, f"Available here: {', '.join(names)}"))
        autos, workers = auto_devices(devices), self._board.all()
        taken = {*self._children, *(info.device for info in workers)}
        free = [device for device in names if device not in taken and self._may_start(device)]
        for_any = [device for device in free if device in autos]
        more = max(0, wanted.get(AUTO, 0) - self._idle(autos, workers))
        for device in free:
            if device in wanted or device in for_any[:more]:
                self._children[device] = WorkerProcess(self._config, device, device in autos)

    def _idle(self, devices: Sequence[str], workers: Sequence[WorkerInfo]) -> int:
        """How many workers for these devices take a job in a moment: they have none, or are just starting."""
        busy = self._store.busy_workers()
        starting = {device for device, child in self._children.items() if not child.entered}
        waiting = {info.device for info in workers if info.worker not in busy}
        return len((starting | waiting) & set(devices))

    def _known_devices(self, wanted: dict[str, int]) -> tuple[Device, ...]:
        """The devices; () while they are not known yet or, when they cannot be known, with the jobs failed."""
        try:
            return self._devices.known()
        except WanError as error:
            for device in wanted:
                self._store.fail_queued(device, error)
            return ()

    def _may_start(self, device: str) -> bool:
        return device not in self._starts or time.monotonic() >= self._starts[device].next_try


class _Starts:
    """Failed starts of a device's worker in a row, and when the next one may be tried."""

    def __init__(self) -> None:
        self.failures = 0
        self.next_try = float("-inf")

    def failed(self) -> None:
        """Count a failure and put the next try off."""
        self.next_try = time.monotonic() + min(FIRST_WAIT * 2**self.failures, _LONGEST_WAIT)
        self.failures += 1
