"""A job on several devices has them to itself: free ones are taken, idle workers make room, busy ones are left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from service_samples import QUICK, SMALL_FILM, job, wait_until
from wan_engine.errors import Cancelled, InputError
from wan_engine.service.borrowed import Lender, job_devices
from wan_engine.service.config import ServiceConfig, write_config
from wan_engine.service.orders import Wish, order_job, order_of_values
from wan_engine.service.records import Job
from wan_engine.service.store import JobStore
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo
from wan_engine.settings import settings_to_mapping

ME = WorkerInfo("cuda:0", "me", os.getpid(), psutil.Process().create_time())


@pytest.fixture
def board(queue: JobStore) -> WorkerBoard:
    made = WorkerBoard(queue.database, QUICK.lease)
    assert made.enter(ME)
    return made


@pytest.fixture
def lender(board: WorkerBoard, queue: JobStore) -> Lender:
    return Lender(board, ME, queue.busy_workers, poll=0.02)


@pytest.fixture
def idle_worker(config: ServiceConfig, board: WorkerBoard) -> Iterator[subprocess.Popen[bytes]]:
    """A worker for the CPU that has nothing to do and would stay for a minute."""
    write_config(replace(config, timing=replace(QUICK, worker_idle=60)))
    command = [sys.executable, "-m", "wan_engine.service.worker", "--home", str(config.home), "--device", "cpu"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    wait_until(lambda: "cpu" in devices_on(board))
    yield process
    with process:
        process.kill()


def devices_on(board: WorkerBoard) -> list[str]:
    return [info.device for info in board.all()]


@pytest.mark.parametrize(
    ("devices", "device", "names"),
    [
        ("", "auto", ("auto",)),
        ("", " CUDA ", ("cuda:0",)),
        ("cuda:1, cuda", "cpu", ("cuda:1", "cuda:0")),
        ("cpu, cpu", "auto", ("cpu", "cpu")),
    ],
)
def test_the_devices_of_a_job(devices: str, device: str, names: tuple[str, ...]) -> None:
    assert job_devices(devices, device) == names


@pytest.mark.parametrize(("devices", "words"), [("cuda:0, gpu", '"gpu" is no device'), ("auto, cpu", "no one device")])
def test_what_is_no_device_is_refused(config: ServiceConfig, devices: str, words: str) -> None:
    order = order_of_values({"prompts": {"0": "a"}, "max_frames": 8, "backend": "dry_run", "devices": devices}, config)
    with pytest.raises(InputError, match=words) as caught:
        order_job(order, Wish(), config)
    assert [problem.field for problem in caught.value.problems] == ["devices"]


def test_free_devices_are_taken_and_given_back(lender: Lender, board: WorkerBoard) -> None:
    with lender.lent(("cuda:0", "cuda:1", "cuda:1"), lambda: False) as devices:
        assert devices == ("cuda:0", "cuda:1", "cuda:1")
        assert devices_on(board) == ["cuda:0", "cuda:1"]
        assert not board.enter(WorkerInfo("cuda:1", "another", ME.pid, ME.born))
    assert devices_on(board) == ["cuda:0"]


def test_a_busy_device_is_left_to_its_job(lender: Lender, board: WorkerBoard, queue: JobStore) -> None:
    board.enter(WorkerInfo("cuda:1", "busy", ME.pid, ME.born))
    queue.add(job(device="cuda:1"))
    assert queue.claim("busy", "cuda:1", 60) is not None
    with lender.lent(("cuda:0", "cuda:1"), lambda: False) as devices:
        assert devices == ("cuda:0",)
    assert devices_on(board) == ["cuda:0", "cuda:1"]


def test_an_idle_worker_makes_room(lender: Lender, board: WorkerBoard, idle_worker: subprocess.Popen[bytes]) -> None:
    with lender.lent(("cuda:0", "cpu"), lambda: False) as devices:
        assert devices == ("cuda:0", "cpu")
        assert idle_worker.wait(10) == 0
        assert {info.worker for info in board.all()} == {"me"}


def test_the_wait_for_a_device_ends_when_the_job_is_cancelled(
    lender: Lender, board: WorkerBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerInfo, "ask_to_end", lambda self: None)
    board.enter(WorkerInfo("cuda:1", "idle", ME.pid, ME.born))
    with pytest.raises(Cancelled), lender.lent(("cuda:0", "cuda:2", "cuda:1"), lambda: True):
        pass
    assert devices_on(board) == ["cuda:0", "cuda:1"]


def rendered(queue: JobStore, config: ServiceConfig, devices: str) -> Job:
    """A film of two parts made by a worker for the CPU."""
    film = replace(SMALL_FILM, continuity="cut", devices=devices, save_frames=True)
    added = queue.add(order_job(order_of_values(settings_to_mapping(film), config), Wish(), config))
    assert added.device == "cpu"
    command = [sys.executable, "-m", "wan_engine.service.worker", "--home", str(config.home), "--device", "cpu"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=120, check=False).returncode == 0
    done = queue.get(added.id)
    assert done is not None
    assert done.state == "done", done.error
    return done


def test_a_film_is_told_on_which_of_its_devices_it_is_not_rendered(queue: JobStore, config: ServiceConfig) -> None:
    later = WorkerBoard(queue.database, 60, clock=lambda: time.time() + 600)
    later.enter(WorkerInfo("cuda:1", "busy", ME.pid, ME.born))
    queue.add(job(device="cuda:1"))
    assert queue.claim("busy", "cuda:1", 600) is not None
    notes = rendered(queue, config, "cpu, cuda:1, cuda:1").notes
    assert "Rendered without cuda:1: other jobs run there" in notes
    assert any("cuda:1 of its devices will not be used" in note for note in notes), "it has but two parts"


@pytest.mark.slow
def test_a_film_on_several_devices_has_the_same_frames(queue: JobStore, config: ServiceConfig) -> None:
    one, two = (Path(rendered(queue, config, devices).folder) for devices in ("cpu", "cpu, cpu"))
    frames = [[path.read_bytes() for path in sorted(folder.glob("*_0*.png"))] for folder in (one, two)]
    assert len(frames[0]) == SMALL_FILM.max_frames
    assert frames[0] == frames[1]
