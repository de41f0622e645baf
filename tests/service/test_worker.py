"""Workers as real processes: films made, failures and wishes survived, kills recovered from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from service_samples import ENDLESS_FILM, LONG_FILM, QUICK, SMALL_FILM, job, living, wait_until
from wan_engine.film import make_film
from wan_engine.media.probe import probe
from wan_engine.service.config import ServiceConfig, write_config
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.records import Job, NewJob
from wan_engine.service.store import JobStore
from wan_engine.service.worker import STOP
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo
from wan_engine.settings import Settings
from wan_engine.storage.lock import folder_lock

StartWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(config: ServiceConfig) -> Iterator[StartWorker]:
    """Starts worker processes that read this set-up; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*flags: str, device: str = "cpu") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "wan_engine.service.worker", "--home", str(config.home), "--device", device]
        started.append(subprocess.Popen([*command, *flags], stdin=subprocess.PIPE, stderr=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        with process:  # closes its streams
            process.kill()


def now(queue: JobStore, job_id: str) -> Job:
    found = queue.get(job_id)
    assert found is not None
    return found


def begun(queue: JobStore, job_id: str, steps: int = 1) -> Job:
    """The job, once so many steps of its film are done."""
    return wait_until(lambda: now(queue, job_id) if now(queue, job_id).progress.steps_done >= steps else None)  # type: ignore[no-any-return]


def ends(queue: JobStore, job_id: str) -> Job:
    return wait_until(lambda: now(queue, job_id) if now(queue, job_id).finished else None, 120)  # type: ignore[no-any-return]


def frames_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*_0*.png"))]


def frames_made_whole(settings: Settings, folder: Path) -> list[bytes]:
    """The frames of a film that nobody stopped."""
    made = make_film(replace(settings, output_dir=str(folder)), lambda event: None, lambda: False)
    return frames_of(made.folder)


def test_a_batch_goes_on_after_a_failure_and_an_idle_worker_ends(
    queue: JobStore, config: ServiceConfig, start_worker: StartWorker
) -> None:
    missing = replace(SMALL_FILM, init_image="/nowhere.png")
    good, bad, odd, last = queue.add_batch(
        [job(), job(missing), NewJob({"prompts": {"0": "a"}, "colour": "red"}), job(device="cpu", notes=("noted",))]
    )
    other = queue.add(job(device="cuda:0"))
    worker = start_worker("--auto")
    assert worker.wait(60) == 0, worker.communicate()[1].decode()
    assert [now(queue, each.id).state for each in (good, bad, odd, last)] == ["done", "failed", "failed", "done"]
    assert now(queue, other.id).state == "queued"
    made = now(queue, good.id)
    assert made.result is not None
    assert Path(made.result["folder"]).is_relative_to(config.outputs)
    assert made.folder == made.result["folder"]
    assert probe(Path(made.result["film"])).frames == 16
    assert (made.progress.steps_done, made.progress.steps_total, made.progress.preview_number) == (6, 6, 1)
    assert config.preview(good.id).read_bytes().startswith(b"\xff\xd8")
    assert "Done" in config.log(good.id).read_text(encoding="utf-8")
    assert now(queue, last.id).notes[0] == "noted"
    error = now(queue, bad.id).error
    assert error is not None
    assert (error["error"], error["problems"][0]["field"]) == ("InputError", "init_image")
    assert "nowhere.png" in config.log(bad.id).read_text(encoding="utf-8")
    assert (now(queue, odd.id).error or {})["problems"][0]["field"] == "colour"
    assert WorkerBoard(queue.database, 60).all() == []


def test_a_worker_without_auto_takes_its_own_jobs_only(queue: JobStore, start_worker: StartWorker) -> None:
    free, named = queue.add_batch([job(), job(device="cpu")])
    assert start_worker().wait(60) == 0
    assert (now(queue, free.id).state, now(queue, named.id).state) == ("queued", "done")


def test_a_cancelled_film_stops_within_a_step_and_can_be_gone_on_with(
    queue: JobStore, start_worker: StartWorker, tmp_path: Path
) -> None:
    film = replace(LONG_FILM, save_frames=True)
    added, waiting = queue.add_batch([job(film), job(film)])
    start_worker("--auto")
    folder = begun(queue, added.id).folder
    assert now(queue, waiting.id).state == "queued"
    queue.cancel(waiting.id)
    queue.cancel(added.id)
    stopped = ends(queue, added.id)
    assert (stopped.state, stopped.error, stopped.result) == ("cancelled", None, None)
    assert 0 < stopped.progress.steps_done < stopped.progress.steps_total
    assert now(queue, waiting.id).folder == ""
    queue.resume(added.id)
    done = ends(queue, added.id)
    assert (done.state, done.folder) == ("done", folder)
    told = " ".join(event.message for event in queue.events(added.id))
    assert "goes on from step" in told or "kept from before" in told
    assert frames_of(Path(folder)) == frames_made_whole(film, tmp_path / "whole")


@pytest.mark.parametrize("how", ["signal", "word"])
def test_a_worker_that_is_to_stop_gives_its_job_back(queue: JobStore, start_worker: StartWorker, how: str) -> None:
    added = queue.add(job(ENDLESS_FILM))
    worker = start_worker("--auto", "--lifeline")
    folder = begun(queue, added.id).folder
    if how == "signal":
        worker.terminate()
    else:
        assert worker.stdin is not None
        worker.stdin.write(STOP)
        worker.stdin.flush()
    assert worker.wait(20) == 0
    back = now(queue, added.id)
    assert (back.state, back.attempts, back.folder, back.worker) == ("queued", 0, folder, "")


def test_a_worker_whose_server_died_ends_after_the_job_in_hand(queue: JobStore, start_worker: StartWorker) -> None:
    first, second = queue.add_batch([job(LONG_FILM), job()])
    worker = start_worker("--auto", "--lifeline")
    begun(queue, first.id)
    assert worker.stdin is not None
    worker.stdin.close()
    worker.wait(60)
    assert (now(queue, first.id).state, now(queue, second.id).state) == ("done", "queued")


def test_a_killed_worker_s_film_goes_on_to_the_same_frames(
    queue: JobStore, config: ServiceConfig, start_worker: StartWorker, tmp_path: Path
) -> None:
    film = replace(LONG_FILM, save_frames=True)
    added = queue.add(job(film))
    worker = start_worker("--auto")
    before = begun(queue, added.id, steps=20)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)
    assert now(queue, added.id).state == "running"
    (back,) = wait_until(queue.reap_expired, 4 * QUICK.lease)
    assert (back.state, back.attempts, back.folder) == ("queued", 1, before.folder)
    assert wait_until(lambda: not living(WorkerBoard(queue.database, QUICK.lease), QUICK.lease))
    start_worker("--auto")
    done = ends(queue, added.id)
    assert (done.state, done.attempts, done.folder) == ("done", 2, before.folder)
    assert frames_of(Path(done.folder)) == frames_made_whole(film, tmp_path / "whole")
    assert "attempt 1" in config.log(added.id).read_text(encoding="utf-8")
    assert "attempt 2" in config.log(added.id).read_text(encoding="utf-8")


def test_a_disk_without_space_is_said_before_anything_is_made(
    queue: JobStore, config: ServiceConfig, start_worker: StartWorker
) -> None:
    write_config(replace(config, min_free_bytes=2**60))
    added = queue.add(job())
    start_worker("--auto").wait(60)
    failed = now(queue, added.id)
    assert (failed.state, failed.folder) == ("failed", "")
    assert (failed.error or {})["error"] == "StorageError"
    assert "are needed" in (failed.error or {})["message"]
    assert not config.outputs.exists()


def test_a_log_that_cannot_be_written_fails_the_job(
    queue: JobStore, config: ServiceConfig, start_worker: StartWorker
) -> None:
    config.logs.rmdir()
    added = queue.add(job())
    worker = start_worker("--auto")
    assert worker.wait(60) == 0
    assert now(queue, added.id).state == "failed"
    assert f"{added.id}.log" in (now(queue, added.id).error or {})["message"]


def test_a_film_that_another_process_still_holds_is_waited_for(
    queue: JobStore, start_worker: StartWorker, tmp_path: Path
) -> None:
    added = queue.add(job(ENDLESS_FILM))
    worker = start_worker("--auto")
    folder = Path(begun(queue, added.id).folder)
    worker.terminate()
    worker.wait(20)
    before = now(queue, added.id).progress.steps_done
    with folder_lock(folder):
        start_worker("--auto")
        wait_until(lambda: now(queue, added.id).state == "running")
    assert begun(queue, added.id, steps=before + 1).state == "running"


def test_a_device_has_one_worker(queue: JobStore, config: ServiceConfig, start_worker: StartWorker) -> None:
    write_config(replace(config, timing=replace(QUICK, lease=60.0)))  # a busy machine starts a worker late
    me = WorkerInfo("cpu", "other", os.getpid(), psutil.Process().create_time())
    WorkerBoard(queue.database, 60).enter(me)
    added = queue.add(job())
    worker = start_worker("--auto")
    assert worker.wait(60) == 0
    assert b"Another worker has cpu" in worker.communicate()[1]
    assert now(queue, added.id).state == "queued"


def test_a_set_up_that_cannot_be_read_ends_the_worker_with_words(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wan_engine.service.worker", "--home", str(tmp_path), "--device", "cpu"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "config.json" in ended.stderr


@pytest.mark.slow
def test_a_film_is_rendered_by_the_model_and_a_cpu_asks_for_no_memory(
    queue: JobStore, config: ServiceConfig, start_worker: StartWorker
) -> None:
    film = replace(SMALL_FILM, backend="wan", encoder="auto")
    added = queue.add(job(film))
    hosts = HostsBoard(queue.database)
    start_worker("--auto")
    asked = set()

    def done() -> bool:
        asked.update(hosts.heard("webui").asked)
        return bool(now(queue, added.id).finished)

    wait_until(done, 200)
    made = now(queue, added.id)
    assert made.state == "done", made.error
    assert made.result is not None
    assert probe(Path(made.result["film"])).frames == 16
    assert "wan, cpu" in config.log(added.id).read_text(encoding="utf-8")
    assert not asked
