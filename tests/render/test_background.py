"""Work beside the rendering: it is waited for, and its errors reach the rendering thread."""

from __future__ import annotations

import threading

import pytest

from wan_engine.render.background import Background


class Waiting(Background):
    """Waits until it is told that the context is left, and notes how."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("waiting")
        self.error = error
        self.seen: list[bool] = []

    def work(self) -> None:
        with self.changed:
            while not self.closing:
                self.changed.wait()
        self.seen.append(self.failed)
        if self.error:
            raise self.error


def test_leaving_the_context_ends_the_thread() -> None:
    with Waiting() as waiting:
        assert threading.active_count() > 1
    assert waiting.seen == [False]
    assert not [thread for thread in threading.enumerate() if thread.name == "waiting"]


def test_an_error_of_the_work_is_raised_on_leaving() -> None:
    with pytest.raises(OSError, match="disk"), Waiting(OSError("disk")):
        pass


def test_the_renderings_own_error_comes_first() -> None:
    waiting = Waiting(OSError("disk"))

    def render() -> None:
        with waiting:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render()
    assert waiting.seen == [True]
