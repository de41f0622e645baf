"""One worker a device, known by its sign of life and by its process."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from service_samples import Clock, living
from wan_engine.service.store import JobStore
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo


@pytest.fixture
def board(store: JobStore, clock: Clock) -> WorkerBoard:
    return WorkerBoard(store.database, fresh=15, clock=clock)


def info(worker: str, device: str = "cpu") -> WorkerInfo:
    return WorkerInfo(device, worker, os.getpid(), psutil.Process().create_time())


def test_a_device_has_one_living_worker(board: WorkerBoard, clock: Clock) -> None:
    assert board.enter(info("a"))
    assert not board.enter(info("b"))
    assert board.enter(info("c", "cuda:0"))
    assert [each.worker for each in living(board, 15)] == ["a", "c"]
    clock.move(10)
    board.beat("a")
    clock.move(10)
    assert [each.worker for each in living(board, 15)] == ["a"]
    assert [(each.worker, each.silent) for each in board.all()] == [("a", 10), ("c", 20)]
    assert board.enter(info("d", "cuda:0"))
    board.leave("a")
    assert [each.worker for each in living(board, 15)] == ["d"]


def test_a_process_is_told_from_a_later_one_with_its_number() -> None:
    me = info("a")
    assert me.process() is not None
    assert WorkerInfo("cpu", "a", me.pid, me.born - 100).process() is None


def test_a_worker_is_killed_by_its_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    found = WorkerInfo("cpu", "a", child.pid, psutil.Process(child.pid).create_time())
    WorkerInfo("cpu", "a", child.pid, found.born - 100).kill()
    assert child.poll() is None
    found.kill()
    assert found.process() is None
    assert child.wait(10) != 0
    found.kill()
