"""The stories of all pages and their protection on real WebUIs, when `WEBUI_DIR` names them; docs/webui.md says how.

`WEBUI_PYTHON`: their Python, by default the one of their `venv`.  `WEBUI_ARGS`: more flags.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from browser.chromium import Window
from browser.keyframes_story import KeyframesStory
from browser.outpaint_story import OutpaintStory, small_film
from browser.protection import LOCKED, OPEN, SUBPATH, Protection
from browser.proxy import below as below_path
from browser.real_webui import real, webuis
from browser.scenes_story import ScenesStory, three_scenes
from browser.servers import Server
from browser.story import Story
from browser.storyboard_story import StoryboardStory
from browser.wan_page import SMALL_FILM, WanTab

__all__ = ["small_film", "three_scenes"]

FOLDERS = webuis()

FILM = {**SMALL_FILM, "steps": "24"}
"""Two clips that take a while."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FOLDERS, reason="WEBUI_DIR names no folder of a WebUI"),
]


@pytest.fixture(scope="module", params=FOLDERS, ids=[folder.name for folder in FOLDERS])
def webui(request: pytest.FixtureRequest) -> Path:
    """Each WebUI in turn."""
    return Path(request.param)


@pytest.fixture(scope="module")
def server(webui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The WebUI with this extension, for the stories."""
    yield from _started(real(webui, tmp_path_factory.mktemp("webui")))


@pytest.fixture(scope="class")
def locked(webui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The WebUI with passwords."""
    yield from _started(real(webui, tmp_path_factory.mktemp("locked"), *LOCKED))


@pytest.fixture(scope="class")
def below(webui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the WebUI below a path of a proxy."""
    for made in _started(real(webui, tmp_path_factory.mktemp("below"), *OPEN)):
        with below_path(f"/{SUBPATH}", made.port) as address:
            yield address


def _started(made: Server) -> Iterator[Server]:
    made.start()
    yield made
    made.close()


def _wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.5)


class TestStory(Story):
    """On the WebUI of the fixture; and what only a real one has."""

    def test_the_model_leaves_the_gpu_and_pictures_do_not_wait(self, tab: WanTab, server: Server) -> None:
        with httpx.Client(base_url=server.address, trust_env=False, timeout=60) as probe:
            probe.post("/probe/model").raise_for_status()
            before = probe.get("/probe").json()
            assert (before["held"], before["queue_free"]) == (True, True)
            tab.write(FILM)
            tab.begin()
            # A worker on a GPU asks for its memory. This one is on the CPU, so the test asks.
            with contextlib.closing(sqlite3.connect(server.home / "jobs.sqlite3")) as jobs, jobs:
                jobs.execute("UPDATE jobs SET asks_memory = 1 WHERE state = 'running'")
            _wait_until(lambda: not probe.get("/probe").json()["held"])
            assert probe.get("/probe").json()["queue_free"]
            tab.wait_for("finished")
            if before["comes_back"]:
                _wait_until(lambda: bool(probe.get("/probe").json()["held"]))
        assert "model could not be moved" not in server.log.read_text(errors="replace")

    def test_a_film_outlives_reload_ui(self, tab: WanTab, window: Window, server: Server) -> None:
        tab.write(FILM)
        tab.begin()
        with window.answers_may_fail():
            written = server.written()
            for _ in range(4):
                tab.reload_ui()
                # A click is lost as long as gradio has not woken the page up.
                if server.says_more(written):
                    break
            server.wait_for_start(written)
            tab.show()
        tab.wait_for("finished")
        assert tab.video_seconds() == pytest.approx(3.0, abs=0.13)


class TestKeyframes(KeyframesStory):
    """On the WebUI of the fixture."""


class TestStoryboard(StoryboardStory):
    """On the WebUI of the fixture."""


class TestScenes(ScenesStory):
    """On the WebUI of the fixture."""


class TestOutpaint(OutpaintStory):
    """On the WebUI of the fixture."""


class TestProtection(Protection):
    """On the WebUI of the fixture."""
