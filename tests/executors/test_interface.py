"""What every executor promises, run over all of them: each chain once, a stop and the first error end the film."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import film_process
from wan_engine.backends.registry import make_backend
from wan_engine.errors import Cancelled, RenderError, StorageError, WanError
from wan_engine.executors import Executor
from wan_engine.executors.local import LocalExecutor
from wan_engine.executors.processes import ProcessExecutor, _sendable
from wan_engine.film import find_lineup, make_film, resume_film
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Clip
from wan_engine.render.clip import ChainJob
from wan_engine.render.clip_store import ClipStore
from wan_engine.render.events import Event
from wan_engine.render.progress import Progress
from wan_engine.render.seam_work import SeamWork
from wan_engine.schedule.project import project_to_text
from wan_engine.settings import Settings

SETTINGS = Settings(
    prompts={"0": "a", "5": "b", "9": "c"},
    max_frames=12,
    width=64,
    height=48,
    steps="2",
    seed=1,
    continuity="cut",
    backend="dry_run",
)


@pytest.fixture(params=["local", "processes"])
def executor(request: pytest.FixtureRequest) -> Executor:
    return LocalExecutor() if request.param == "local" else ProcessExecutor(SETTINGS, ("cpu", "cpu"))


def job_in(folder: Path, events: list[Event], stop: Callable[[], bool] = lambda: False) -> ChainJob:
    models = find_lineup(SETTINGS)
    plan = replace(build_plan(SETTINGS, models), resolved={"backend": "dry_run"})
    store = ClipStore(folder / "clips", plan)
    progress = Progress(plan, events.append)
    return ChainJob(plan, make_backend(SETTINGS, models), store, progress, stop, seams=SeamWork(7))


def test_every_chain_is_rendered_once(executor: Executor, tmp_path: Path) -> None:
    events: list[Event] = []
    ready: list[Clip] = []
    threads = set()

    def clip_ready(clip: Clip) -> None:
        ready.append(clip)
        threads.add(threading.current_thread())

    job = replace(job_in(tmp_path, events), clip_ready=clip_ready)
    executor.run(job, job.plan.chains())
    assert len(job.plan.chains()) == 3
    assert sorted(clip.index for clip in ready) == [0, 1, 2]
    assert threads == {threading.current_thread()}
    assert sorted(event.clip for event in events if event.kind == "clip_done") == [0, 1, 2]
    assert [event.steps_done for event in events if event.kind == "step"] == [1, 2, 3, 4, 5, 6]
    assert job.seams.left == 7, "what no chain has used comes back"
    again: list[Event] = []
    LocalExecutor().run(job_in(tmp_path, again), job.plan.chains())
    assert not [event for event in again if event.kind == "step"], "each clip is there, from the same inputs"


def test_an_error_stops_the_film(executor: Executor, tmp_path: Path) -> None:
    (tmp_path / "clips").write_text("a file where the clips' folder should be", encoding="utf-8")
    job = job_in(tmp_path, [])
    with pytest.raises((StorageError, OSError)):
        executor.run(job, job.plan.chains())


def test_a_stop_ends_it_and_keeps_what_is_there(executor: Executor, tmp_path: Path) -> None:
    events: list[Event] = []
    job = job_in(tmp_path, events, lambda: any(event.kind == "clip_done" for event in events))
    with pytest.raises(Cancelled):
        executor.run(job, job.plan.chains())
    assert any(job.store.film_file(clip).is_file() for clip in job.plan.clips)


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """They would go on writing into the film, which another process goes on with: to the same frames."""
    film = replace(SETTINGS, steps="300", devices="cpu, cpu", save_frames=True, output_dir=str(tmp_path))
    project = tmp_path / "film.yaml"
    project.write_text(project_to_text(film), encoding="utf-8")
    parent = film_process.start("begin", project, 0)
    assert parent.stdout is not None
    while '"kind": "clip_started"' not in parent.stdout.readline():
        pass
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) >= 2
    parent.kill()
    _, living = psutil.wait_procs(workers, timeout=60)
    parent.communicate(timeout=60)
    assert not living
    (plan,) = tmp_path.rglob("*_plan.json")
    resumed = resume_film(plan.parent, lambda _event: None, lambda: False, ["cpu"])
    whole = make_film(film, lambda _event: None, lambda: False, ["cpu"])
    frames = [[path.read_bytes() for path in sorted(made.folder.glob("*_0*.png"))] for made in (resumed, whole)]
    assert len(frames[0]) == film.max_frames
    assert frames[0] == frames[1]


def test_an_error_of_the_parent_ends_processes_that_still_tell(tmp_path: Path) -> None:
    """Pictures that nobody takes fill the pipe; a process with more of them must end all the same."""

    def fail(_event: Event) -> None:
        time.sleep(1)  # so that the first preview is on its way
        raise StorageError("no room")

    job = job_in(tmp_path, [])
    large = replace(job.plan, width=1024, height=512)
    store = ClipStore(tmp_path / "clips", large)
    job = replace(job, plan=large, store=store, progress=Progress(large, fail))
    with pytest.raises(StorageError, match="no room"):
        ProcessExecutor(SETTINGS, ("cpu",)).run(job, large.chains())
    assert not [child for child in multiprocessing.active_children() if child.name == "cpu"]


def test_errors_that_cannot_be_sent_are_sent_in_words() -> None:
    class Local(Exception):
        """One whose class another process cannot find."""

    error = _sendable(Local("it broke"))
    assert (type(error), str(error)) == (RenderError, "Local: it broke")
    same = StorageError("full", "Free some space")
    assert _sendable(same) is same


def test_a_process_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its device's name stands in the error; the film can be gone on with."""
    killed: list[int] = []

    def kill_one() -> bool:
        for child in multiprocessing.active_children():
            if not killed and child.name == "cpu":
                child.kill()
                killed.append(1)
        return False

    job = job_in(tmp_path, [], kill_one)
    with pytest.raises(WanError, match="the process that rendered on cpu ended with code -9"):
        ProcessExecutor(SETTINGS, ("cpu",)).run(job, job.plan.chains())
    LocalExecutor().run(job_in(tmp_path, []), job.plan.chains())
