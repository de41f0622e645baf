"""Files appear whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wan_engine.errors import StorageError
from wan_engine.storage.atomic import AtomicPath, remove_leftovers, write_bytes, write_json, write_text

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_written_file_is_all_there_is(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    write_json(target, {"prompt": "ein Bär", "frames": 4})
    assert json.loads(target.read_text(encoding="utf-8")) == {"prompt": "ein Bär", "frames": 4}
    assert "ein Bär" in target.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [target]


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.srt", "one\ntwo\r\n")
    assert (tmp_path / "a.srt").read_bytes() == b"one\ntwo\r\n"


def test_what_is_no_text_does_not_stop_the_writing(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", "\ud800a")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == "?a"


def test_nan_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_json(target, [1])
    with pytest.raises(ValueError):
        write_json(target, [float("nan")])
    assert json.loads(target.read_text()) == [1]


def test_atomic_path_names_are_in_the_same_folder_and_keep_the_ending(tmp_path: Path) -> None:
    with AtomicPath(tmp_path / "film.mp4") as part:
        assert part == tmp_path / "film.part.mp4"
        part.write_bytes(b"film")
        assert not (tmp_path / "film.mp4").exists()
    assert (tmp_path / "film.mp4").read_bytes() == b"film"
    assert not part.exists()


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    target.write_bytes(b"old")
    atomic = AtomicPath(target)
    atomic.part.write_bytes(b"half")
    with pytest.raises(RuntimeError, match="stopped"), atomic:
        raise RuntimeError("stopped")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"film\.mp4"), AtomicPath(tmp_path / "film.mp4"):
        pass
    assert not list(tmp_path.iterdir())


def test_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        write_text(tmp_path / "gone" / "a.txt", "a")
    assert str(tmp_path / "gone" / "a.txt") in caught.value.message
    assert caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "geteuid") or not Path("/proc").is_dir(), reason="needs /proc")
def test_place_that_cannot_be_written() -> None:
    with pytest.raises(StorageError, match=r"cannot write"):
        write_bytes(Path("/proc/wan-engine-test"), b"a")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full answers every write with "no space left", as a full disk does."""
    target = AtomicPath(tmp_path / "a.bin", token="t")
    target.part.symlink_to("/dev/full")
    monkeypatch.setattr("wan_engine.storage.atomic.secrets.token_hex", lambda _: "t")
    with pytest.raises(StorageError, match="full"):
        write_bytes(tmp_path / "a.bin", b"x" * 100_000)
    assert not list(tmp_path.iterdir())


def test_many_writers_leave_one_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "cache.bin"
    contents = [bytes([number]) * 200_000 for number in range(8)]
    threads = [threading.Thread(target=write_bytes, args=(target, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_killed_writer_never_leaves_half_a_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wan_engine.storage.atomic import write_bytes\n"
        "n = 0\n"
        "while True: n = (n + 1) % 256; write_bytes(Path(sys.argv[1]), bytes([n]) * 3_000_000)\n"
    )
    target = tmp_path / "state.bin"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    for wait in (0.01, 0.03, 0.08):
        process = subprocess.Popen([sys.executable, "-c", code, str(target)], env=environment)
        deadline = time.monotonic() + 30
        while not target.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        content = target.read_bytes()
        assert len(content) == 3_000_000
        assert len(set(content)) == 1
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [target]


def test_remove_leftovers_takes_only_leftovers(tmp_path: Path) -> None:
    keep = ["film.mp4", "a.part.txt.png", "counterpart.json", "part.png"]
    leave = ["film.part.mp4", "plan.0a1b2c3d.part.json", "state.part"]
    for name in keep + leave:
        (tmp_path / name).write_text(name)
    assert remove_leftovers(tmp_path) == len(leave)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(keep)
