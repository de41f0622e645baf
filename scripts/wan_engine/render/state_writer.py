"""Writes the state of a clip beside its denoising: a thread that always writes the newest state it was given."""

from __future__ import annotations

from collections.abc import Callable

from wan_engine.backends import RunState
from wan_engine.render.background import Background


class StateWriter(Background):
    """Saves states in the background, at most one waiting: a slow disk skips states, it never slows the steps.

    Leaving the context writes what still waits. An error of `save` is raised by the next `put` or on leaving.
    """

    def __init__(self, save: Callable[[RunState], None]) -> None:
        super().__init__("state-writer")
        self._save = save
        self._waiting: RunState | None = None

    def put(self, state: RunState) -> None:
        """Have this state written, in place of one that still waits."""
        with self.changed:
            self.raise_error()
            self._waiting = state
            self.changed.notify()

    def work(self) -> None:
        """Write states until the context is left and none waits."""
        while (state := self._next()) is not None:
            self._save(state)

    def _next(self) -> RunState | None:
        with self.changed:
            while self._waiting is None and not self.closing:
                self.changed.wait()
            state, self._waiting = self._waiting, None
            return state
