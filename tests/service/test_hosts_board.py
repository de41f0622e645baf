"""The hand-shake about GPU memory: asked, freed, waited for, forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service_samples import Clock, job
from wan_engine.service.host_pictures import services_here, webui_lacks
from wan_engine.service.hosts_board import HostAnswer, HostApi, HostsBoard
from wan_engine.service.store import JobStore
from wan_engine.storyboard.services import load_services


@pytest.fixture
def board(store: JobStore, clock: Clock) -> HostsBoard:
    return HostsBoard(store.database, fresh=10, clock=clock)


def running(store: JobStore) -> str:
    store.add(job())
    taken = store.claim("w", "cuda:0", 1000)
    assert taken is not None
    return taken.id


def test_a_host_hears_who_asks_until_the_job_ends(store: JobStore, board: HostsBoard) -> None:
    assert board.heard("a") == HostAnswer((), working=False)
    job_id = running(store)
    assert board.heard("a") == HostAnswer((), working=True)
    store.ask_memory(job_id, "w")
    assert board.heard("a") == HostAnswer((job_id,), working=True)
    assert board.heard("a", [job_id]) == HostAnswer((job_id,), working=True)
    waiting = store.add(job())
    store.finish(job_id, "w", "done")
    assert board.heard("a", [job_id]) == HostAnswer((), working=True)
    store.cancel(waiting.id)
    assert board.heard("a", [job_id]) == HostAnswer((), working=False)


def test_a_job_waits_for_every_living_host(store: JobStore, board: HostsBoard, clock: Clock) -> None:
    job_id = running(store)
    store.ask_memory(job_id, "w")
    assert board.waiting(job_id) == ()
    board.heard("a")
    board.heard("b")
    assert board.waiting(job_id) == ("a", "b")
    board.heard("a", [job_id, "another"])
    assert board.waiting(job_id) == ("b",)
    clock.move(8)
    board.heard("a", [job_id])
    assert board.waiting(job_id) == ("b",)
    clock.move(3)
    assert board.waiting(job_id) == (), "a host that says nothing is gone"


def test_memory_freed_for_one_job_is_asked_for_again_by_the_next(store: JobStore, board: HostsBoard) -> None:
    first = running(store)
    store.ask_memory(first, "w")
    board.heard("a", [first])
    store.finish(first, "w", "done")
    second = running(store)
    store.ask_memory(second, "w")
    assert board.waiting(second) == ("a",)


def test_only_the_job_s_own_worker_asks(store: JobStore, board: HostsBoard) -> None:
    job_id = running(store)
    store.ask_memory(job_id, "another")
    assert board.heard("a").asked == ()


def test_the_webui_that_lives_makes_pictures(
    board: HostsBoard, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = load_services(tmp_path)
    assert (services_here(tmp_path, board), webui_lacks(usual, board)) == (usual, {})
    board.heard("a", api=HostApi("http://127.0.0.1:1", on=False, guarded=False))
    assert "start it with --api" in webui_lacks(usual, board)["webui"]
    board.heard("b", api=HostApi("http://127.0.0.1:2", on=True, guarded=True))
    board.heard("a", api=HostApi("http://127.0.0.1:1", on=False, guarded=False))
    assert services_here(tmp_path, board)["webui"].url == "http://127.0.0.1:2"
    assert "write user and password" in webui_lacks(usual, board)["webui"]
    assert webui_lacks({**usual, "webui": replace(usual["webui"], user="me")}, board) == {}
    monkeypatch.setenv("WAN_WEBUI_URL", "http://far:3")
    assert services_here(tmp_path, board)["webui"].url == "http://far:3"
    assert webui_lacks(load_services(tmp_path), board) == {}
    clock.move(11)
    assert board.api() is None
