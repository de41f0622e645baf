"""The right workers run: one a device, started when wanted, ended when they hang, never two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from service_samples import ENDLESS_FILM, LONG_FILM, QUICK, SMALL_FILM, Clock, job, living, quick_config, wait_until
from wan_engine.errors import RenderError
from wan_engine.service import supervisor as supervisor_module
from wan_engine.service.config import CONFIG_FILE, ServiceConfig
from wan_engine.service.devices import Device, DeviceList
from wan_engine.service.records import Job
from wan_engine.service.store import JobStore
from wan_engine.service.supervisor import MOST_STARTS, Supervisor
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo

CPU = (Device("cpu", "", 1),)
GPUS = (Device("cuda:0", "", 1), Device("cuda:1", "", 1), *CPU)

SERVER = """
import os, sys, time
from pathlib import Path
from wan_engine.service.config import read_config
from wan_engine.service.devices import Device, DeviceList
from wan_engine.service.store import JobStore
from wan_engine.service.supervisor import Supervisor
config = read_config(Path(sys.argv[1]))
store = JobStore(config.database)
Supervisor(config, store, DeviceList(lambda: (Device("cpu", "", 1),))).start()
while not any(job.progress.steps_done for job in store.list(["running"])):
    time.sleep(0.02)
os._exit(9)
"""

Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(config: ServiceConfig, queue: JobStore) -> Iterator[Supervise]:
    """Makes supervisors; their workers do not outlive the test."""
    made: list[Supervisor] = []

    def make(devices: tuple[Device, ...] = CPU, setup: ServiceConfig = config) -> Supervisor:
        made.append(Supervisor(setup, queue, DeviceList(lambda: devices)))
        return made[-1]

    yield make
    for each in made:
        each.stop()
    for info in WorkerBoard(queue.database, 60).all():
        if info.pid != os.getpid():
            info.kill()


@pytest.fixture
def patient(tmp_path: Path) -> ServiceConfig:
    """The set-up with leases that do not run out in a test."""
    return quick_config(tmp_path, timing=replace(QUICK, lease=60.0))


def now(queue: JobStore, job_id: str) -> Job:
    found = queue.get(job_id)
    assert found is not None
    return found


def ended(queue: JobStore, *jobs: Job) -> list[Job]:
    def all_ended() -> list[Job]:
        found = [now(queue, each.id) for each in jobs]
        return found if all(each.finished for each in found) else []

    return wait_until(all_ended)  # type: ignore[no-any-return]


def begun(queue: JobStore, job_id: str) -> Job:
    return wait_until(lambda: now(queue, job_id) if now(queue, job_id).progress.steps_done else None)  # type: ignore[no-any-return]


def workers(queue: JobStore) -> dict[str, WorkerInfo]:
    return {info.device: info for info in living(WorkerBoard(queue.database, QUICK.lease), QUICK.lease)}


def test_jobs_are_rendered_and_all_memory_comes_back(queue: JobStore, supervise: Supervise) -> None:
    added = queue.add_batch([job(), job(device="cpu")])
    supervise().start()
    assert [each.state for each in ended(queue, *added)] == ["done", "done"]
    assert len(workers(queue)) == 1, "one worker made both films"
    process = workers(queue)["cpu"].process()
    wait_until(lambda: not workers(queue))
    assert process is not None
    process.wait(10)


def test_an_engine_without_jobs_starts_no_worker(queue: JobStore, supervise: Supervise) -> None:
    supervise().start()
    time.sleep(10 * QUICK.poll)
    assert not workers(queue)


def test_every_gpu_works_and_no_more_than_there_are_jobs(queue: JobStore, supervise: Supervise) -> None:
    first = queue.add(job(LONG_FILM))
    supervise(GPUS).start()
    begun(queue, first.id)
    assert list(workers(queue)) == ["cuda:0"]
    more = queue.add_batch([job(LONG_FILM), job()])
    wait_until(lambda: list(workers(queue)) == ["cuda:0", "cuda:1"])
    assert {each.state for each in ended(queue, first, *more)} == {"done"}


def test_a_cpu_beside_gpus_renders_what_names_it_only(
    queue: JobStore, supervise: Supervise, patient: ServiceConfig
) -> None:
    for device in ("cuda:0", "cuda:1"):
        born = psutil.Process().create_time()
        assert WorkerBoard(queue.database, 60).enter(WorkerInfo(device, device, os.getpid(), born))
    free, named = queue.add_batch([job(), job(device="cpu")])
    supervise(GPUS, patient).start()
    assert ended(queue, named)[0].state == "done"
    wait_until(lambda: not workers(queue).get("cpu"))
    assert now(queue, free.id).state == "queued"


def test_jobs_for_what_is_not_there_fail_with_words(queue: JobStore, supervise: Supervise) -> None:
    added = queue.add(job(device="cuda:7"))
    supervise().start()
    (failed,) = ended(queue, added)
    assert failed.error is not None
    assert failed.error["message"] == 'this machine has no device "cuda:7"'
    assert failed.error["remedy"] == "Available here: cpu"


def test_jobs_fail_when_torch_cannot_be_asked(config: ServiceConfig, queue: JobStore) -> None:
    def ask() -> tuple[Device, ...]:
        raise RenderError("torch cannot say which devices there are", "Set it up anew")

    supervisor = Supervisor(config, queue, DeviceList(ask))
    supervisor.start()
    (failed,) = ended(queue, queue.add(job()))
    supervisor.stop()
    assert (failed.error or {})["message"] == "torch cannot say which devices there are"


@pytest.mark.slow
def test_a_worker_that_dies_at_its_start_is_told_after_three_tries(
    queue: JobStore, config: ServiceConfig, supervise: Supervise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_WAIT", 0.2)
    (config.home / CONFIG_FILE).write_text("{}", encoding="utf-8")
    added = queue.add_batch([job(), job(device="cpu")])
    supervisor = supervise()
    supervisor.start()
    failed = ended(queue, *added)
    assert [each.state for each in failed] == ["failed", "failed"]
    for each in failed:
        assert each.error is not None
        assert "ends at its start" in each.error["message"]
        assert "config.json is damaged" in each.error["message"]
    assert supervisor._starts["cpu"].failures == MOST_STARTS
    quick_config(config.home.parent)
    assert ended(queue, queue.add(job()))[0].state == "done"
    assert not supervisor._starts


def test_the_workers_of_an_earlier_server_are_left_alone(
    queue: JobStore, config: ServiceConfig, supervise: Supervise
) -> None:
    first = queue.add(job(LONG_FILM))
    server = subprocess.run([sys.executable, "-c", SERVER, str(config.home)], check=False, timeout=60)
    assert server.returncode == 9
    before = workers(queue)["cpu"]
    second = queue.add(job())
    supervise().start()

    def first_ended_alone() -> bool:
        there = [info.pid for info in workers(queue).values()]
        finished = bool(now(queue, first.id).finished)
        assert finished or there == [before.pid]
        return finished

    wait_until(first_ended_alone)
    assert (now(queue, first.id).state, now(queue, first.id).attempts) == ("done", 1)
    assert ended(queue, second)[0].state == "done"
    wait_until(lambda: before.process() is None)


@pytest.mark.slow
def test_a_worker_that_ignores_the_wish_to_stop_is_killed(
    queue: JobStore, supervise: Supervise, patient: ServiceConfig
) -> None:
    added = queue.add(job(LONG_FILM))
    supervise(CPU, patient).start()
    begun(queue, added.id)
    info = workers(queue)["cpu"]
    os.kill(info.pid, signal.SIGSTOP)
    queue.cancel(added.id)
    (cancelled,) = ended(queue, added)
    assert cancelled.state == "cancelled"
    assert "was killed" in " ".join(event.message for event in queue.events(added.id))
    assert info.process() is None
    queue.resume(added.id)
    assert ended(queue, added)[0].state == "done"


def test_a_worker_that_is_held_up_for_a_while_keeps_its_job(
    queue: JobStore, supervise: Supervise, tmp_path: Path
) -> None:
    added = queue.add(job(LONG_FILM))
    supervise(CPU, quick_config(tmp_path, timing=replace(QUICK, lease=0.5, renew=0.1, cancel_patience=60.0))).start()
    begun(queue, added.id)
    info = workers(queue)["cpu"]
    os.kill(info.pid, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(info.pid, signal.SIGCONT)
    (done,) = ended(queue, added)
    assert (done.state, done.attempts) == ("done", 1)


@pytest.mark.slow
def test_a_worker_that_hangs_loses_its_job_and_is_killed(queue: JobStore, supervise: Supervise) -> None:
    added = queue.add(job(LONG_FILM))
    supervise().start()
    begun(queue, added.id)
    info = workers(queue)["cpu"]
    os.kill(info.pid, signal.SIGSTOP)
    (done,) = ended(queue, added)
    assert (done.state, done.attempts) == ("done", 2)
    assert info.process() is None


def test_leases_that_ran_out_while_the_machine_slept_are_nobody_s_fault(tmp_path: Path, clock: Clock) -> None:
    config = quick_config(tmp_path)
    store = JobStore(config.database, clock)
    supervisor = Supervisor(config, store, DeviceList(lambda: CPU))
    store.add(job())
    taken = store.claim("w", "cpu", QUICK.lease)
    assert taken is not None
    clock.move(3600)
    for _ in range(4):
        supervisor.look()
        assert now(store, taken.id).state == "running"
        clock.move(QUICK.lease / 4)
    for _ in range(2):
        clock.move(QUICK.lease / 4)
        supervisor.look()
    assert now(store, taken.id).state == "queued"
    supervisor.stop()
    store.close()


def test_a_server_that_stops_has_its_workers_give_their_jobs_back(queue: JobStore, supervise: Supervise) -> None:
    added = queue.add(job(ENDLESS_FILM))
    supervisor = supervise()
    supervisor.start()
    begun(queue, added.id)
    info = workers(queue)["cpu"]
    supervisor.stop()
    assert info.process() is None
    assert (now(queue, added.id).state, now(queue, added.id).attempts) == ("queued", 0)


def test_old_records_are_removed_on_the_way(tmp_path: Path, clock: Clock) -> None:
    config = quick_config(tmp_path)
    store = JobStore(config.database, clock)
    added = store.add(job(SMALL_FILM))
    store.cancel(added.id)
    supervisor = Supervisor(config, store, DeviceList(lambda: CPU))
    supervisor.look()
    assert store.get(added.id) is not None
    clock.move(31 * 86_400)
    supervisor.look()
    assert store.get(added.id) is not None, "the next sweep is in an hour"
    supervisor._next_sweep = float("-inf")
    supervisor.look()
    assert store.get(added.id) is None
    supervisor.stop()
    store.close()
