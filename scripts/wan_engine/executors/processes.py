"""Runs chains in processes of their own, one for each device: independent parts of a film are rendered side by side.

A process takes the next chain as soon as it is done with one. What it does it tells the parent, which alone counts the
progress and encodes; the clips pass through the store on disk.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Event as Flag
from typing import TYPE_CHECKING, Any

from wan_engine.backends.registry import make_backend
from wan_engine.errors import RenderError
from wan_engine.executors import Chain, Executor
from wan_engine.models.lineup import lineup
from wan_engine.plan.model import Clip, Plan
from wan_engine.render.chain import render_chain
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import stopped
from wan_engine.render.progress import Progress
from wan_engine.render.seam_work import SeamWork
from wan_engine.settings import Settings
from wan_engine.tiny import WEIGHTS

if TYPE_CHECKING:
    from wan_engine.backends import Picture
    from wan_engine.models.attempts import Attempt

Told = tuple[str, Any]
"""What a process tells: `progress` (method, arguments), `ready` (a clip), `seams` (versions, takes), `error`, `end`."""

_LOOK = 0.2
"""Seconds between two looks for the user's wish to stop and for processes that died."""


@dataclass(frozen=True)
class _Task:
    """What a process is started with. Everything in it can be pickled."""

    settings: Settings
    plan: Plan
    store: ClipStore
    device: str
    shares: tuple[int, ...]


class ProcessExecutor(Executor):
    """One process for each device. settings: of the film.  devices: such as `cuda:0`; the same may come twice.

    The film's budget of clips to render again is shared out evenly among the chains, the first ones taking what is
    left over, so that it does not depend on which is faster.
    """

    def __init__(self, settings: Settings, devices: Sequence[str]) -> None:
        self._settings = settings
        self._devices = tuple(devices)

    def run(self, job: ChainJob, chains: Sequence[Chain]) -> None:
        spawn = multiprocessing.get_context("spawn")  # a forked process cannot use the GPU
        told, stop = spawn.Queue(), spawn.Event()
        numbers: Any = spawn.Queue()
        devices = self._devices[: len(chains)]
        for number in (*range(len(chains)), *[None] * len(devices)):  # None ends a process
            numbers.put(number)
        shares = tuple(len(range(number, job.seams.left, len(chains))) for number in range(len(chains)))
        job.seams.left = 0
        processes = []
        for device in devices:
            task = _Task(self._settings, job.plan, job.store, device, shares)
            processes.append(spawn.Process(target=_work, args=(task, numbers, told, stop), name=device, daemon=True))
            processes[-1].start()
        try:
            _listen(job, processes, told, stop)
        finally:
            stop.set()
            _wait_for(processes, told)


def _wait_for(processes: Sequence[Any], told: Any) -> None:
    """Wait until all have ended. What they still tell is let go: one that cannot get rid of it would never end."""
    while any(process.is_alive() for process in processes):
        with suppress(queue.Empty):
            told.get(timeout=_LOOK)


def _listen(job: ChainJob, processes: Sequence[Any], told: Any, stop: Flag) -> None:
    """Do what the processes tell until each has ended. Raises the first error, or Cancelled."""
    running = len(processes)
    error: BaseException | None = None
    while running:
        if job.cancelled():
            stop.set()
        try:
            kind, what = told.get(timeout=_LOOK)
        except queue.Empty:
            dead = [process for process in processes if process.exitcode not in (None, 0)]
            if dead:
                stop.set()
                message = f"the process that rendered on {dead[0].name} ended with code {dead[0].exitcode}"
                raise RenderError(message, "Resume the film; memory that ran out is the usual reason") from error
            continue
        if kind == "error":
            error = error or what
            stop.set()
        elif kind == "end":
            running -= 1
        else:
            _DONE[kind](job, what)
    if error is not None:
        raise error
    if job.cancelled():
        raise stopped()


def _progress(job: ChainJob, what: tuple[str, tuple[Any, ...]]) -> None:
    getattr(job.progress, what[0])(*what[1])


def _ready(job: ChainJob, clip: Clip) -> None:
    job.clip_ready(clip)


def _seams(job: ChainJob, what: tuple[SeamWork, dict[int, int]]) -> None:
    work, chosen = what
    job.seams.left += work.left
    job.seams.versions.update(work.versions)
    job.store.chosen.update(chosen)


_DONE: dict[str, Callable[[ChainJob, Any], None]] = {"progress": _progress, "ready": _ready, "seams": _seams}


class _Teller(Progress):
    """Tells the parent instead of counting."""

    def __init__(self, plan: Plan, tell: Callable[[str, Any], None]) -> None:
        super().__init__(plan, lambda event: None)
        self._tell = tell

    def say(self, kind: str, clip: Clip | None = None, message: str = "") -> None:
        self._tell("progress", ("say", (kind, clip, message)))

    def tried(self, attempt: Attempt) -> None:
        self._tell("progress", ("tried", (attempt,)))

    def one_more(self, clip: Clip) -> None:
        self._tell("progress", ("one_more", (clip,)))

    def clip_reused(self, clip: Clip) -> None:
        self._tell("progress", ("clip_reused", (clip,)))

    def clip_started(self, clip: Clip, steps_done: int) -> None:
        self._tell("progress", ("clip_started", (clip, steps_done)))

    def step_done(self, clip: Clip, step: int, preview: Picture | None) -> None:
        self._tell("progress", ("step_done", (clip, step, preview)))

    def clip_done(self, clip: Clip) -> None:
        self._tell("progress", ("clip_done", (clip,)))


def _work(task: _Task, numbers: Any, told: Any, stop: Flag) -> None:
    """What a process does: chain after chain on its device, until none is left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent tells us
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()

    def tell(kind: str, what: Any) -> None:
        told.put((kind, what))

    try:
        _render_chains(task, numbers, tell, stop)
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        tell("error", _sendable(error))
    tell("end", task.device)


def _sendable(error: BaseException) -> BaseException:
    """The error, or its words where it is one that cannot pass from one process to another."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was made here
    except Exception:  # noqa: BLE001 - whatever its class stumbles over
        return RenderError(f"{type(error).__name__}: {error}")
    return error


def _end_with_parent() -> None:
    """End at once when the parent was killed: another process may be going on with the film by now."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _render_chains(task: _Task, numbers: Any, tell: Callable[[str, Any], None], stop: Flag) -> None:
    settings = replace(task.settings, device=task.device)
    progress = _Teller(task.plan, tell)
    backend = make_backend(settings, lineup(settings, WEIGHTS), lambda sentence: progress.say("note", None, sentence))
    try:
        backend.resolve(task.plan)
        backend.settle_memory(task.plan)
        chains = task.plan.chains()
        while (number := numbers.get()) is not None and not stop.is_set():
            work = SeamWork(task.shares[number], inside=True)
            store = replace(task.store, chosen={}, patches={})
            job = ChainJob(
                *(task.plan, backend, store, progress, stop.is_set), lambda clip: tell("ready", clip), seams=work
            )
            render_chain(job, chains[number])
            tell("seams", (work, store.chosen))
    finally:
        backend.close()
