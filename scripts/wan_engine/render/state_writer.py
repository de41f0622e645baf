"""Writes the state of a clip beside its denoising: a thread that always writes the newest state it was given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from wan_engine.backends import RunState


class StateWriter:
    """Saves states in the background, at most one waiting: a slow disk skips states, it never slows the steps.

    Leaving the context writes what still waits. An error of `save` is raised by the next `put` or on leaving.
    """

    def __init__(self, save: Callable[[RunState], None]) -> None:
        self._save = save
        self._waiting: RunState | None = None
        self._closing = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._write_all, name="state-writer", daemon=True)

    def __enter__(self) -> StateWriter:
        self._thread.start()
        return self

    def put(self, state: RunState) -> None:
        """Have this state written, in place of one that still waits."""
        with self._changed:
            self._raise_error()
            self._waiting = state
            self._changed.notify()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        if kind is None:
            self._raise_error()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _write_all(self) -> None:
        while True:
            with self._changed:
                while self._waiting is None and not self._closing:
                    self._changed.wait()
                state, self._waiting = self._waiting, None
            if state is None:
                return
            try:
                self._save(state)
            except BaseException as error:  # noqa: BLE001 - handed to the rendering thread, which raises it
                self._error = error
                return
