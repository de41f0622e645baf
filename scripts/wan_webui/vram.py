"""Lends the GPU to the engine while it makes films: moves the WebUI's model out when the engine asks, and back.

A thread tells the engine every two seconds that this WebUI lives. Moving waits for the WebUI's queue, so it is done in
a thread of its own while the first one goes on telling.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict

import httpx

from wan_engine.home import EngineInfo, read_info
from wan_webui.engine_process import connect
from wan_webui.hosts import Host

log = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two signs of life; the engine takes a WebUI for gone after 10."""

GONE = 60.0
"""Seconds without an engine, or without the extension, after which the WebUI takes its GPU back."""


class VramWatch:
    """The watch of one process over its host's model."""

    def __init__(self, host: Host, beat: float = BEAT, gone: float = GONE) -> None:
        self._host = host
        self._beat = beat
        self._gone = gone
        self._name = f"{host.name}-{os.getpid()}"
        self._moving: threading.Thread | None = None
        self._out = False
        # Jobs for which the model was asked out, and those of them for which it is out.
        self._tried: frozenset[str] = frozenset()
        self._freed: frozenset[str] = frozenset()
        self._heard = time.monotonic()
        self._unloaded: float | None = None
        self._thread = threading.Thread(target=self._run, name="wan-vram", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """If it watches no more."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End, unless `go_on` comes soon: Reload UI unloads the extension and loads it again."""
        self._unloaded = time.monotonic()

    def go_on(self) -> None:
        """Take a `stop` back."""
        self._unloaded = None

    def _run(self) -> None:
        while True:
            info = read_info(self._host.home)
            if info:
                self._tell(info)
            now = time.monotonic()
            unloaded = self._unloaded is not None and now - self._unloaded > self._gone
            if unloaded or now - self._heard > self._gone:
                self._decide(frozenset(), working=False)
            if unloaded:
                return
            time.sleep(self._beat)

    def _tell(self, info: EngineInfo) -> None:
        try:
            with connect(info, timeout=BEAT) as connection:
                api = self._host.api
                said = {"freed": sorted(self._freed), "api": asdict(api) if api else None}
                answer = connection.post(f"hosts/{self._name}", json=said)
                answer.raise_for_status()
            heard = answer.json()
            asked, working = frozenset(map(str, heard["asked"])), bool(heard["working"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            # A killed engine leaves its file behind.
            log.debug("the engine does not answer: %r", error)
            return
        self._heard = time.monotonic()
        self._decide(asked, working)

    def _decide(self, asked: frozenset[str], working: bool) -> None:
        if self._moving and self._moving.is_alive():
            return
        new = asked - self._tried
        self._tried, self._freed = asked, self._freed & asked
        if new:
            self._begin(lambda: self._move_out(new))
        elif self._out and not asked and not working:
            self._begin(self._move_back)

    def _begin(self, work: Callable[[], None]) -> None:
        self._moving = threading.Thread(target=work, name="wan-vram-move", daemon=True)
        self._moving.start()

    def _move_out(self, jobs: frozenset[str]) -> None:
        self._out = True
        if self._done(self._host.release_vram, "Wan: the WebUI's model could not be moved out of the GPU"):
            self._freed |= jobs

    def _move_back(self) -> None:
        self._out = False
        self._done(self._host.restore_vram, "Wan: the WebUI's model could not be moved back to the GPU")

    def _done(self, move: Callable[[], None], failure: str) -> bool:
        try:
            move()
        except Exception:  # noqa: BLE001  the WebUI's own code may raise anything; the watch goes on
            self._host.report(failure)
            return False
        return True


_watch: VramWatch | None = None


def start(host: Host) -> None:
    """Watch over the host's model; the watch of before goes on if there is one."""
    global _watch
    if _watch is None or _watch.ended:
        _watch = VramWatch(host)
    _watch.go_on()


def stop() -> None:
    """Called when the WebUI unloads the extension."""
    if _watch:
        _watch.stop()
