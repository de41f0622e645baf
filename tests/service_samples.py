"""Jobs, clocks and a quick set-up of the service, for tests that need them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wan_engine.service.config import ServiceConfig, Timing, write_config
from wan_engine.service.records import NewJob
from wan_engine.service.worker_board import WorkerBoard, WorkerInfo
from wan_engine.settings import Settings, settings_to_mapping

QUICK = Timing(lease=3.0, renew=0.3, poll=0.05, worker_idle=0.5, cancel_patience=2.0, host_wait=2.0, host_fresh=2.0)
"""Times short enough for tests and long enough for a busy machine."""

SMALL_FILM = Settings(
    prompts={"0": "a red circle", "8": "a blue square"},
    max_frames=16,
    fps="16",
    width=64,
    height=64,
    steps="3",
    seed=5,
    backend="dry_run",
    preset="ultrafast",
    encoder="software",
)
"""Two clips that are drawn in a moment."""

LONG_FILM = replace(
    SMALL_FILM, steps="1000", prompts={str(8 * clip): f"prompt {clip}" for clip in range(24)}, max_frames=192
)
"""Twenty-four clips of many steps: it is done in a second, so it can be killed in the middle and still be finished."""

ENDLESS_FILM = replace(SMALL_FILM, steps="1000", max_frames=20_000)
"""A film of a minute or more, for what is done to a film that runs and need not be finished."""


class Clock:
    """A time that tests move. Starts at a day in 2024."""

    def __init__(self) -> None:
        self.now = 1_704_067_200.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


def job(settings: Settings = SMALL_FILM, **values: Any) -> NewJob:
    """A job for a film."""
    return NewJob(settings=settings_to_mapping(settings), **values)


def living(board: WorkerBoard, fresh: float) -> list[WorkerInfo]:
    """The workers that gave a sign of life in the last `fresh` seconds, by device."""
    return [each for each in board.all() if each.silent <= fresh]


def quick_config(folder: Path, **values: Any) -> ServiceConfig:
    """A set-up in this folder with quick times, written for workers."""
    config = ServiceConfig(**{"home": folder / "home", "outputs": folder / "films", "timing": QUICK, **values})
    write_config(config)
    return config


def wait_until(happened: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What it gives, as soon as that is something."""
    until = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
    return found
