"""The first signal asks, the second ends the process; handlers are put back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from wan_engine.cli.stop import STOPPING, StopSignals

PROGRAM = """
import sys, time
from wan_engine.cli.stop import StopSignals, announce_plainly
with StopSignals(announce_plainly, b"bye") as stop:
    print("ready", flush=True)
    while not stop.wanted():
        time.sleep(0.01)
    print("asked", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_asks_and_handlers_return(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    told: list[bool] = []
    with StopSignals(lambda: told.append(True)) as stop:
        assert not stop.wanted()
        os.kill(os.getpid(), number)
        assert stop.wanted()
    assert told == [True]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_ends_the_process(environment: dict[str, str], number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == STOPPING + "\nbye"


def test_other_threads_leave_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with StopSignals(lambda: None) as stop:
            seen.extend([signal.getsignal(signal.SIGINT), stop.wanted()])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before, False]
