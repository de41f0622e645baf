"""A job on several devices: its worker takes the others too, so that no two processes ever share one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wan_engine.errors import InputError, Problem
from wan_engine.models.devices import device_names
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.service.records import AUTO, device_name
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo


def job_devices(devices: str, device: str) -> tuple[str, ...]:
    """The devices of a job by the settings `devices` and `device`, as the service names them; the first one's takes it.

    Raises InputError for what is no device, and for `auto` among several.
    """
    names = tuple(device_name(name, "devices") for name in device_names(devices))
    if AUTO in names:
        raise InputError(Problem("auto is no one device", "Name each, such as cuda:0, cuda:1", field="devices"))
    return names or (device_name(device),)


@dataclass(frozen=True)
class Lender:
    """Gives a worker further devices for a job. me: the worker.  busy: names of the workers that have a job.

    poll: seconds between two looks.
    """

    board: WorkerBoard
    me: WorkerInfo
    busy: Callable[[], set[str]]
    poll: float

    @contextmanager
    def lent(self, wanted: Sequence[str], cancelled: CancelCheck) -> Iterator[tuple[str, ...]]:
        """Those of the wanted devices that are the worker's own or free now; the others are given back at the end.

        A device counts as free when its worker has no job: that worker is asked to end, and waited for. One whose
        worker has a job is left to it; nothing waits for another job. Raises Cancelled and StorageError.
        """
        held = [self.me.device]
        try:
            for device in dict.fromkeys(wanted):
                if device not in held and self._taken(device, cancelled):
                    held.append(device)
            yield tuple(device for device in wanted if device in held) or (self.me.device,)
        finally:
            for device in held[1:]:
                self.board.leave(self.me.worker, device)

    def _taken(self, device: str, cancelled: CancelCheck) -> bool:
        while not self.board.enter(replace(self.me, device=device)):
            if cancelled():
                raise stopped()
            owner = next((info for info in self.board.all() if info.device == device), None)
            if owner is not None and owner.worker in self.busy():
                return False
            if owner is not None:
                owner.ask_to_end()
            time.sleep(self.poll)
        return True
