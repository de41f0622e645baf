"""The background writer of clip states: newest wins, nothing is lost at the end, errors come back."""

from __future__ import annotations

import threading

import pytest

from wan_engine.backends import RunState
from wan_engine.errors import StorageError
from wan_engine.render.state_writer import StateWriter


def test_the_last_state_is_always_written() -> None:
    written: list[int] = []
    with StateWriter(lambda state: written.append(state.step)) as writer:
        for step in range(1, 21):
            writer.put(RunState(step))
    assert written[-1] == 20
    assert written == sorted(written)


def test_a_slow_disk_skips_states_and_never_holds_up_the_steps() -> None:
    written: list[int] = []
    writing, go_on = threading.Event(), threading.Event()

    def save(state: RunState) -> None:
        writing.set()
        assert go_on.wait(10)
        written.append(state.step)

    with StateWriter(save) as writer:
        writer.put(RunState(1))
        assert writing.wait(10)
        for step in range(2, 6):
            writer.put(RunState(step))
        go_on.set()
    assert written == [1, 5]


def test_an_error_of_the_disk_is_raised_to_the_renderer() -> None:
    def save(state: RunState) -> None:
        raise StorageError("the disk is full", "Free some room")

    with pytest.raises(StorageError, match="disk is full"), StateWriter(save) as writer:
        writer.put(RunState(1))


def test_the_renderers_own_error_is_not_hidden_by_one_of_the_disk() -> None:
    def save(state: RunState) -> None:
        raise StorageError("the disk is full")

    def render() -> None:
        with StateWriter(save) as writer:
            writer.put(RunState(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render()
