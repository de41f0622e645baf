"""A folder is worked on by one process at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wan_engine.errors import StorageError
from wan_engine.storage.lock import folder_lock

HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from wan_engine.storage.lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    scripts = Path(__file__).resolve().parents[2] / "scripts"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path), str(scripts)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(StorageError, match="another process"), folder_lock(tmp_path):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate(timeout=30)
    with folder_lock(tmp_path):
        pass


def test_the_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with folder_lock(tmp_path):
            pass
