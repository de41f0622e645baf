"""What a film reports reaches the job: progress, events, folder, preview; steps at a sane rate; memory asked for."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service_samples import QUICK, job, wait_until
from wan_engine.errors import StorageError
from wan_engine.render.events import Event
from wan_engine.service.config import ServiceConfig
from wan_engine.service.hosts_board import HostsBoard
from wan_engine.service.job_report import JobReport, MemoryRequest
from wan_engine.service.records import Job
from wan_engine.service.store import JobStore

STEP = Event("step", clip=1, clips=2, step=1, steps=50, steps_done=51, steps_total=100, seconds_left=3.5)


def never() -> bool:
    return False


@pytest.fixture
def taken(queue: JobStore) -> Job:
    queue.add(job())
    found = queue.claim("w", "cuda:0", 60)
    assert found is not None
    return found


@pytest.fixture
def report(queue: JobStore, taken: Job, config: ServiceConfig) -> JobReport:
    return JobReport(queue, taken, config, never, None)


def now(queue: JobStore, taken: Job) -> Job:
    found = queue.get(taken.id)
    assert found is not None
    return found


def test_the_folder_is_known_at_once(queue: JobStore, taken: Job, report: JobReport) -> None:
    report(Event("started", message="/films/1", clips=2, steps_total=100))
    assert now(queue, taken).folder == str(Path("/films/1"))
    assert now(queue, taken).progress.steps_total == 100


def test_steps_are_recorded_at_a_sane_rate_and_the_last_always(queue: JobStore, taken: Job, report: JobReport) -> None:
    for step in range(1, 51):
        report(replace(STEP, step=step))
    steps = [event.data["step"] for event in queue.events(taken.id) if event.kind == "step"]
    assert steps[0] == 1
    assert steps[-1] == 50
    assert len(steps) < 10
    progress = now(queue, taken).progress
    assert (progress.kind, progress.clip, progress.step, progress.seconds_left) == ("step", 1, 50, 3.5)


def test_a_note_stays_with_the_job(queue: JobStore, taken: Job, report: JobReport) -> None:
    report(STEP)
    report(Event("note", "The memory was full"))
    assert [event.message for event in queue.events(taken.id) if event.kind == "note"] == ["The memory was full"]
    found = now(queue, taken)
    assert found.notes[-1] == "The memory was full"
    assert found.progress.kind == "step"


def test_everything_but_steps_is_an_event(queue: JobStore, taken: Job, report: JobReport) -> None:
    kinds = ["started", "ready", "loading", "clip_started", "decoding", "clip_done", "encoding", "film_done"]
    for kind in kinds:
        report(Event(kind, clips=2))
    assert [event.kind for event in queue.events(taken.id)] == ["state", "state", *kinds]


def test_an_event_about_no_clip_leaves_the_numbers(queue: JobStore, taken: Job, report: JobReport) -> None:
    report(replace(STEP, kind="film_done"))
    report(Event("released", "Memory released"))
    progress = now(queue, taken).progress
    assert (progress.kind, progress.message, progress.steps_done) == ("released", "Memory released", 51)


def test_a_preview_is_a_picture_with_a_number(
    queue: JobStore, taken: Job, report: JobReport, config: ServiceConfig
) -> None:
    picture = np.full((48, 64, 3), (200, 30, 20), np.uint8)
    report(STEP)
    report(replace(STEP, step=2, preview=picture))
    assert now(queue, taken).progress.preview_number == 1
    with Image.open(config.preview(taken.id)) as written:
        assert (written.format, written.size) == ("JPEG", (64, 48))
    again = JobReport(queue, now(queue, taken), config, never, None)
    again(replace(STEP, step=3, preview=picture))
    assert now(queue, taken).progress.preview_number == 2


def test_a_look_that_fails_does_not_end_the_film(
    queue: JobStore, taken: Job, config: ServiceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    config.previews.rmdir()
    with caplog.at_level(logging.WARNING):
        JobReport(queue, taken, config, never, None)(replace(STEP, preview=np.zeros((8, 8, 3), np.uint8)))
    assert "could not be shown" in caplog.text


def test_a_folder_that_cannot_be_stored_ends_the_film(queue: JobStore, taken: Job, report: JobReport) -> None:
    queue.database.all("DROP TABLE jobs")
    with pytest.raises(StorageError):
        report(Event("started", message="/films/1"))


class TestMemory:
    """The hand-shake before a model is loaded."""

    @pytest.fixture
    def hosts(self, queue: JobStore) -> HostsBoard:
        return HostsBoard(queue.database, fresh=60)

    @pytest.fixture
    def request_memory(self, queue: JobStore, hosts: HostsBoard) -> MemoryRequest:
        return MemoryRequest(queue, hosts, "w", QUICK.poll, longest=0.3)

    def test_without_hosts_nothing_is_waited_for(
        self, queue: JobStore, taken: Job, config: ServiceConfig, request_memory: MemoryRequest, hosts: HostsBoard
    ) -> None:
        report = JobReport(queue, taken, config, never, request_memory)
        report(Event("started", message="/films/1"))
        assert hosts.heard("late").asked == (taken.id,)
        assert "note" not in [event.kind for event in queue.events(taken.id)]

    def test_a_host_that_frees_its_memory_is_waited_for(
        self, queue: JobStore, taken: Job, hosts: HostsBoard, request_memory: MemoryRequest
    ) -> None:
        hosts.heard("webui")
        waiting = replace(request_memory, longest=60)
        thread = threading.Thread(target=waiting.wait, args=(taken, never))
        thread.start()
        asked = wait_until(lambda: hosts.heard("webui").asked)
        thread.join(0.3)
        assert thread.is_alive()
        hosts.heard("webui", asked)
        thread.join(10)
        assert not thread.is_alive()
        assert now(queue, taken).notes == ()

    def test_a_host_that_does_not_answer_is_not_waited_for_forever(
        self, queue: JobStore, taken: Job, hosts: HostsBoard, request_memory: MemoryRequest
    ) -> None:
        hosts.heard("webui")
        request_memory.wait(taken, never)
        (note,) = now(queue, taken).notes
        assert "has not freed its GPU memory within 0.3 s" in note
        assert note in [event.message for event in queue.events(taken.id)]

    def test_a_wish_to_stop_ends_the_wait(
        self, queue: JobStore, taken: Job, hosts: HostsBoard, request_memory: MemoryRequest
    ) -> None:
        hosts.heard("webui")
        replace(request_memory, longest=1000).wait(taken, lambda: True)
        assert now(queue, taken).notes == ()
