"""A worker's sign of life keeps its lease and brings it the wish to stop."""

from __future__ import annotations

import time
from dataclasses import replace

from service_samples import QUICK, job, living, wait_until
from wan_engine.service.heartbeat import Heartbeat
from wan_engine.service.store import JobStore
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo


def test_the_lease_lasts_as_long_as_the_heart_beats(queue: JobStore) -> None:
    lease = 1.0
    board = WorkerBoard(queue.database, fresh=lease)
    board.enter(WorkerInfo("cpu", "w", 1, 1.0))
    queue.add(job())
    taken = queue.claim("w", "cpu", lease)
    assert taken is not None
    times = replace(QUICK, lease=lease, renew=0.1)
    with Heartbeat(queue, board, "w", times) as heartbeat:
        held = heartbeat.hold(taken.id)
        until = time.monotonic() + 1.6 * lease
        while time.monotonic() < until:
            assert queue.reap_expired() == []
            time.sleep(0.05)
        assert [info.worker for info in living(board, lease)] == ["w"]
        assert not held.stop_wanted
    wait_until(lambda: not living(board, lease))
    wait_until(lambda: queue.reap_expired(time.time()))


def test_the_wish_to_stop_is_heard_soon_and_for_its_job_only(queue: JobStore) -> None:
    board = WorkerBoard(queue.database, fresh=60)
    first, second = queue.add_batch([job(), job()])
    with Heartbeat(queue, board, "w", QUICK) as heartbeat:
        queue.claim("w", "cpu", 60)
        held = heartbeat.hold(first.id)
        queue.cancel(first.id)
        wait_until(lambda: held.stop_wanted, 5)
        queue.claim("w", "cpu", 60)
        other = heartbeat.hold(second.id)
        time.sleep(3 * QUICK.poll)
        assert not other.stop_wanted
        heartbeat.drop()


def test_a_job_that_was_taken_away_is_stopped(queue: JobStore) -> None:
    board = WorkerBoard(queue.database, fresh=60)
    queue.add(job())
    taken = queue.claim("w", "cpu", 60)
    assert taken is not None
    with Heartbeat(queue, board, "w", QUICK) as heartbeat:
        held = heartbeat.hold(taken.id)
        queue.reap_expired(time.time() + 100)
        wait_until(lambda: held.stop_wanted, 5)
