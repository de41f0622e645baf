"""One engine for a state folder, its file for clients, and when it is idle."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wan_engine.errors import StorageError
from wan_engine.home import INFO_FILE, EngineInfo, read_info
from wan_engine.service.life import LOCK_FILE, AlreadyRunning, Life, forget_info, new_token, only_engine, write_info

INFO = EngineInfo(port=1234, token="secret", pid=os.getpid(), version="0.1.0")
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    write_info(tmp_path, INFO)
    assert read_info(tmp_path) == INFO
    assert stat.S_IMODE((tmp_path / INFO_FILE).stat().st_mode) == 0o600
    write_info(tmp_path, INFO)
    assert [path.name for path in tmp_path.iterdir()] == [INFO_FILE]
    forget_info(tmp_path)
    forget_info(tmp_path)
    assert read_info(tmp_path) is None


def test_tokens_differ() -> None:
    assert len({new_token() for _ in range(10)}) == 10
    assert min(len(new_token()) for _ in range(10)) >= 40


def _hold(home: Path, info: bool) -> subprocess.Popen[str]:
    """Another process that is the engine until its standard input ends."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom wan_engine.home import EngineInfo\n"
        "from wan_engine.service.life import only_engine, write_info\n"
        f"with only_engine(Path({str(home)!r})):\n"
        f"    if {info}: write_info(Path({str(home)!r}), EngineInfo(1234, 'secret', 1, 'x'))\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_engine_is_told_where_the_first_runs(tmp_path: Path) -> None:
    with _hold(tmp_path, info=True) as first:
        with pytest.raises(AlreadyRunning) as caught, only_engine(tmp_path):
            pass
        assert caught.value.info.port == 1234
        first.communicate()


def test_a_killed_engine_leaves_no_lock_and_its_file_is_removed(tmp_path: Path) -> None:
    with _hold(tmp_path, info=True) as first:
        first.kill()
        first.wait()
        with only_engine(tmp_path):
            assert read_info(tmp_path) is None


def test_an_engine_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    with _hold(tmp_path, info=False) as first:
        with pytest.raises(StorageError, match="does not answer"), only_engine(tmp_path, wait_seconds=0.3):
            pass
        assert first.stdin is not None
        first.stdin.close()
        with only_engine(tmp_path, wait_seconds=10):
            assert (tmp_path / LOCK_FILE).exists()


def test_it_is_idle_when_nobody_is_answered() -> None:
    now = [0.0]
    life = Life(clock=lambda: now[0])
    now[0] = 5.0
    assert life.idle_seconds() == 5.0
    with life.wanted():
        now[0] = 50.0
        with life.wanted():
            pass
        assert life.idle_seconds() == 0.0
    assert life.idle_seconds() == 0.0
    now[0] = 52.0
    assert life.idle_seconds() == 2.0
    assert not life.stopping
    life.stop()
    assert life.stopping
