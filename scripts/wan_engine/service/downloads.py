"""Runs one download at a time, of an entry or a set, in a thread of the engine; knows how it and those before stand.

Nothing is kept over a restart: what came is on the disk, and the same download goes on with it when it is asked for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from wan_engine.errors import Cancelled, WanError
from wan_engine.models.downloads.progress import Progress
from wan_engine.models.downloads.table import Entry
from wan_engine.models.downloads.together import download_all, prepare_all
from wan_engine.service.life import Life

logger = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""At the engine's end a download has so long to stop; then it is left, as a killed one would be."""


@dataclass(frozen=True)
class DownloadState:
    """How a download stands that this engine was asked for. error: why it failed."""

    state: Literal["running", "done", "failed", "cancelled"]
    progress: Progress
    error: WanError | None = None


class OtherDownload(WanError):
    """Another download is running."""


class Downloads:
    """The engine's downloads. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, DownloadState] = {}
        self._running = ""
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None

    def state(self, name: str) -> DownloadState | None:
        """How a download stands; None if this engine was not asked for it."""
        with self._lock:
            return self._states.get(name)

    def start(self, name: str, entries: Sequence[Entry], root: Path, life: Life) -> None:
        """Begin to download, or go on; nothing happens if it runs already. Raises OtherDownload.

        name: of an entry or a set.  entries: what it stands for.  root: the folder of models.  life: is told that the
        engine is wanted as long as it takes.
        """
        with self._lock:
            if self._running == name:
                return
            if self._running:
                raise OtherDownload(f"{self._running} is being downloaded", "Wait for it, or cancel it")
            self._running, self._cancel = name, threading.Event()
            self._states[name] = DownloadState("running", Progress("listing"))
            arguments = (name, entries, root, life)
            # A daemon: what a process that ends leaves behind is gone on with later.
            self._thread = threading.Thread(target=self._run, args=arguments, name="download", daemon=True)
            self._thread.start()

    def cancel(self, name: str) -> bool:
        """Stop a download; what came is kept. False if it does not run."""
        with self._lock:
            if self._running != name:
                return False
            self._cancel.set()
            return True

    def stop(self) -> None:
        """Stop what runs and wait a moment for it: the engine ends."""
        with self._lock:
            self._cancel.set()
            thread = self._thread
        if thread:
            thread.join(STOP_SECONDS)

    def _run(self, name: str, entries: Sequence[Entry], root: Path, life: Life) -> None:
        with life.wanted():
            ended = self._fetch(name, entries, root)
            with self._lock:
                self._states[name] = replace(self._states[name], state=ended[0], error=ended[1])
                self._running = ""

    def _fetch(
        self, name: str, entries: Sequence[Entry], root: Path
    ) -> tuple[Literal["done", "failed", "cancelled"], WanError | None]:
        def report(progress: Progress) -> None:
            with self._lock:
                self._states[name] = DownloadState("running", progress)

        cancelled = self._cancel.is_set  # of this download: the next one has an event of its own
        try:
            folders = download_all(prepare_all(entries, root, cancelled), report, cancelled)
        except Cancelled:
            return "cancelled", None
        except WanError as error:
            logger.warning("The download of %s failed: %s", name, error)
            return "failed", error
        except Exception:
            logger.exception("The download of %s failed", name)
            return "failed", WanError("an unexpected error in the engine", "Please report it with the engine's log")
        logger.info("%s was downloaded to %s", name, ", ".join(map(str, folders)))
        return "done", None
