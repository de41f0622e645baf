"""Old records go with their logs and previews, old uploads go; films stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service_samples import Clock, job, quick_config
from wan_engine.service.config import ServiceConfig
from wan_engine.service.records import NewJob
from wan_engine.service.retention import forget, sweep
from wan_engine.service.store import JobStore

DAY = 86_400.0


@pytest.fixture
def config(tmp_path: Path) -> ServiceConfig:
    return quick_config(tmp_path, keep_days=30, keep_jobs=3)


def ended(config: ServiceConfig, store: JobStore, state: str = "done") -> str:
    """A job that ended, with all that belongs to one."""
    store.add(job())
    taken = store.claim("w", "cpu", 60)
    assert taken is not None
    film = config.outputs / taken.id
    film.mkdir(parents=True)
    (film / "film.mp4").write_bytes(b"film")
    config.log(taken.id).write_text("log", encoding="utf-8")
    config.preview(taken.id).write_bytes(b"preview")
    store.finish(taken.id, "w", state, result={"folder": str(film)})
    return taken.id


def test_old_records_go_and_films_stay(config: ServiceConfig, store: JobStore, clock: Clock) -> None:
    old = ended(config, store, "failed")
    clock.move(20 * DAY)
    new = ended(config, store)
    clock.move(10 * DAY + 1)
    waiting = store.add(job())
    sweep(config, store)
    assert {each.id for each in store.list()} == {new, waiting.id}
    assert [config.log(each).exists() for each in (old, new)] == [False, True]
    assert [config.preview(each).exists() for each in (old, new)] == [False, True]
    assert (config.outputs / old / "film.mp4").exists()


def test_only_the_latest_records_stay(config: ServiceConfig, store: JobStore, clock: Clock) -> None:
    waiting = store.add(job(device="cuda:9"))
    ids = []
    for _ in range(5):
        ids.append(ended(config, store))
        clock.move(1)
    sweep(config, store)
    assert [each.id for each in store.list()] == [*ids[:1:-1], waiting.id]


def test_uploads_stay_while_a_job_names_them(config: ServiceConfig, store: JobStore, clock: Clock) -> None:
    for name, age in (("used.png", 40.0), ("fête_海.png", 40.0), ("unused.png", 40.0), ("new.png", 1.0)):
        path = config.uploads / name
        path.write_bytes(b"picture")
        os.utime(path, (clock() - age * DAY,) * 2)
    for name in ("used.png", "fête_海.png"):
        store.add(NewJob({"init_image": str(config.uploads / name)}))
    sweep(config, store)
    assert sorted(path.name for path in config.uploads.iterdir()) == ["fête_海.png", "new.png", "used.png"]


def test_a_running_job_is_not_forgotten(config: ServiceConfig, store: JobStore) -> None:
    store.add(job())
    taken = store.claim("w", "cpu", 60)
    assert taken is not None
    config.log(taken.id).write_text("log", encoding="utf-8")
    assert not forget(config, store, taken.id)
    assert config.log(taken.id).exists()
    store.finish(taken.id, "w", "done")
    assert forget(config, store, taken.id)
    assert not config.log(taken.id).exists()
    assert not forget(config, store, taken.id)
