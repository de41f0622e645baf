"""A small plan made by hand, and the command line as a process of its own."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from samples import make_clip, make_plan
from wan_engine.cli.app import main
from wan_engine.cli.screen import LOG_HANDLER
from wan_engine.plan.model import Clip, Plan

ROOT = Path(__file__).resolve().parents[2]


def film_clip(index: int, start: int, end: int, **values: Any) -> Clip:
    """A clip of the plan below: its frames are the film's."""
    common: dict[str, Any] = {
        "mode": "t2v" if index == 0 else "i2v",
        "frames": end - start + 1,
        "intervals": end - start,
        "arrives": end,
        "prompt": f"prompt {index}",
        "negative": "",
        "seed": 5 + index,
        "guidance_scale": 5.0,
        "continuity": "last_frame" if index else "cut",
    }
    return make_clip(index=index, start=start, end=end, **{**common, **values})


@pytest.fixture
def plan() -> Plan:
    """Three clips of 40 frames: from noise, going on, and a new chain from a picture to a picture."""
    return make_plan(
        film_clip(0, 0, 40, prompt="a [red]fox[/red]\x1b[31m", negative="blur"),
        film_clip(1, 40, 80, guidance_scale_2=3.5),
        film_clip(2, 80, 120, mode="flf2v", continuity="cut", chain=1, start_image="a.png", end_image="b.png"),
        notes=("the width was rounded",),
        models={"t2v": "Wan-Tiny"},
        seed=5,
        disk_bytes=2_000_000,
    )


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The command line sets up logging; a test leaves it as it was."""
    root, engine_log = logging.getLogger(), logging.getLogger("wan_engine")
    levels = (root.level, engine_log.level)
    yield
    for handler in [each for each in root.handlers if each.name == LOG_HANDLER]:
        root.removeHandler(handler)
    root.setLevel(levels[0])
    engine_log.setLevel(levels[1])


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a process that runs this checkout's engine."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "COLUMNS": "100"}


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def engine(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs `python -m wan_engine` in the test's own folder: `engine("plan", "a.json", stdin="...")`."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "wan_engine", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, input=stdin, capture_output=True, encoding="utf-8", timeout=120
        )

    return run


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The same without a process of its own, which is quicker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capfd.readouterr()
        code = main([*arguments])
        return subprocess.CompletedProcess(["wan-engine", *arguments], code, *capfd.readouterr())

    return run
