"""The watch over the GPU against a real server: when the model goes out, what the engine hears, when it comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from wan_engine.home import INFO_FILE
from wan_webui import vram
from wan_webui.hosts import OwnApi
from wan_webui.vram import GONE, VramWatch
from webui.small_engine import OpenHost, SmallEngine, leave_info, served

BEAT = 0.03


class Clock:
    """The watch's clock, which the test moves; its pauses alone take real time. looks: how many of them are over."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks = 0

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)
        self.looks += 1

    def let_it_look(self) -> None:
        """Wait until the watch has looked for an engine at least once from beginning to end."""
        seen = self.looks
        until(lambda: self.looks > seen + 2)


class Lender(OpenHost):
    """A host with a model of its own that notes how it is moved, and takes as long as the test says."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.moves: list[str] = []
        self.reports: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.fails = False

    @property
    def api(self) -> OwnApi:
        return OwnApi("http://127.0.0.1:7862", on=True, guarded=False)

    def release_vram(self) -> None:
        self.free.wait()
        self.moves.append("out")
        if self.fails:
            raise RuntimeError("the WebUI's own code failed")

    def restore_vram(self) -> None:
        self.moves.append("back")

    def report(self, message: str) -> None:
        self.reports.append(message)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallEngine, int]]:
    engine = SmallEngine(tmp_path_factory.mktemp("film") / "film.mp4")
    with served(engine.app) as port:
        yield engine, port


@pytest.fixture
def engine(small: tuple[SmallEngine, int], tmp_path: Path) -> SmallEngine:
    found, port = small
    leave_info(tmp_path, port)
    found.asked, found.working = [], False
    found.freed.clear()
    found.requests.clear()
    return found


@pytest.fixture
def lender(tmp_path: Path) -> Lender:
    return Lender(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(vram, "time", SimpleNamespace(monotonic=lambda: made.now, sleep=made.pause))
    return made


@pytest.fixture
def watch(lender: Lender, clock: Clock) -> Iterator[VramWatch]:
    begun = VramWatch(lender, BEAT)
    yield begun
    lender.free.set()
    begun.stop()
    clock.now += 2 * GONE
    until(lambda: begun.ended)


def test_the_model_goes_out_when_a_job_asks_and_back_when_none_works(
    engine: SmallEngine, lender: Lender, watch: VramWatch
) -> None:
    until(lambda: engine.freed)
    assert engine.api == {"url": "http://127.0.0.1:7862", "on": True, "guarded": False}
    assert lender.moves == []
    engine.asked, engine.working = ["job1"], True
    until(lambda: engine.freed[-1] == ["job1"])
    assert lender.moves == ["out"]
    engine.asked = []
    until(lambda: engine.freed[-1] == [])
    engine.asked = ["job2"]
    until(lambda: engine.freed[-1] == ["job2"])
    # Forge may have loaded its model again in between.
    assert lender.moves == ["out", "out"]
    engine.asked, engine.working = [], False
    until(lambda: lender.moves == ["out", "out", "back"])
    beats = len(engine.freed)
    until(lambda: len(engine.freed) > beats + 3)
    assert lender.moves == ["out", "out", "back"]


def test_while_it_waits_for_the_queue_the_engine_goes_on_hearing(
    engine: SmallEngine, lender: Lender, watch: VramWatch
) -> None:
    lender.free.clear()
    engine.asked, engine.working = ["job"], True
    until(lambda: len(engine.freed) > 10)
    assert engine.freed[-1] == []
    lender.free.set()
    until(lambda: engine.freed[-1] == ["job"])
    assert lender.moves == ["out"]


def test_a_model_that_cannot_be_moved_is_reported_once_and_not_called_free(
    engine: SmallEngine, lender: Lender, watch: VramWatch
) -> None:
    lender.fails = True
    engine.asked, engine.working = ["job"], True
    until(lambda: lender.reports)
    beats = len(engine.freed)
    until(lambda: len(engine.freed) > beats + 5)
    assert engine.freed[-1] == []
    assert (len(lender.reports), lender.moves) == (1, ["out"])
    # Part of it may be out.
    engine.asked, engine.working = [], False
    until(lambda: lender.moves == ["out", "back"])


def test_an_engine_that_died_keeps_the_gpu_for_a_while_only(
    engine: SmallEngine, lender: Lender, watch: VramWatch, clock: Clock, tmp_path: Path
) -> None:
    engine.asked, engine.working = ["job"], True
    until(lambda: lender.moves == ["out"])
    (tmp_path / INFO_FILE).unlink()
    clock.let_it_look()
    clock.now += 0.9 * GONE
    clock.let_it_look()
    assert lender.moves == ["out"]
    clock.now += 0.2 * GONE
    until(lambda: lender.moves == ["out", "back"])


def test_without_an_engine_nobody_is_called(
    engine: SmallEngine, tmp_path: Path, watch: VramWatch, clock: Clock
) -> None:
    (tmp_path / INFO_FILE).unlink()
    clock.let_it_look()
    beats = len(engine.requests)
    clock.let_it_look()
    assert len(engine.requests) == beats


def test_reload_ui_keeps_the_watch_and_unloading_ends_it(
    engine: SmallEngine, lender: Lender, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vram, "_watch", VramWatch(lender, BEAT))
    first = vram._watch
    engine.asked, engine.working = ["job"], True
    until(lambda: lender.moves == ["out"])
    engine.asked = []
    vram.stop()
    vram.start(lender)
    assert vram._watch is first
    for _ in range(3):
        clock.now += 0.6 * GONE
        until(lambda: first._heard == clock.now)
    assert lender.moves == ["out"]
    vram.stop()
    clock.now += 1.1 * GONE
    until(lambda: vram._watch is not None and vram._watch.ended)
    until(lambda: lender.moves == ["out", "back"])
