"""The state of the engine's environment, told while real runs of install.py begin, fail, are cut off and succeed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from small_project import INSTALL, Project
from wan_webui import installation as installation_module
from wan_webui.installation import Installation, InstallState
from wan_webui.process import start_detached, tail

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs POSIX processes")


def wait(installation: Installation, wanted: Callable[[InstallState], bool], seconds: float = 250) -> InstallState:
    end = time.monotonic() + seconds
    while not wanted(state := installation.state()):
        assert time.monotonic() < end, state
        time.sleep(0.02)
    return state


def ended(state: InstallState) -> bool:
    return state.state not in ("installing", "missing")


def kill(installation: Installation) -> None:
    """End the run with all that it started."""
    assert installation._run is not None
    os.killpg(installation._run.pid, signal.SIGKILL)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project(tmp_path)
    for name, value in project.environment().items():
        monkeypatch.setenv(name, value)
    return project


def test_at_first_nothing_is_there(project: Project) -> None:
    state = Installation(project.venv, project.root).state()
    assert (state.state, state.step, state.log) == ("missing", 0, "")
    assert "not installed yet" in state.message
    assert not project.venv.with_name(".venv.lock").exists()
    assert state.as_dict()["steps"] == 4


@posix_only
def test_a_failure_says_why_until_the_next_try(project: Project) -> None:
    folder = project.root / "taken"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    installation = Installation(folder, project.root)
    installation.start()
    state = wait(installation, ended)
    assert state.state == "failed"
    assert state.message == f"{folder} holds other things: name a new folder in WAN_ENGINE_VENV."
    assert "Setting up the engine's environment" in state.log
    # A WebUI that was started again, or another one, sees the same.
    assert Installation(folder, project.root).state() == state
    (folder / "thesis.txt").rename(project.root / "thesis.txt")
    assert installation.start().state == "installing"
    kill(installation)


@posix_only
def test_a_run_that_was_killed_is_cut_off_not_running(project: Project) -> None:
    installation = Installation(project.venv, project.root)
    installation.start()
    state = wait(installation, lambda state: state.step == 1)
    assert "1/4" in state.log
    # Another window, another WebUI.
    assert Installation(project.venv, project.root).state().state == "installing"
    assert installation.start().state == "installing"
    kill(installation)
    state = wait(installation, lambda state: state.state != "installing")
    assert state.state == "failed"
    assert "goes on where it stopped" in state.message


@posix_only
def test_a_run_that_is_being_started_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = Installation(project.venv, project.root)
    seen: list[str] = []

    def start_slowly(*command: Any, **options: Any) -> subprocess.Popen[bytes]:
        seen.append(installation.state().state)
        return start_detached(*command, **options)

    monkeypatch.setattr(installation_module, "start_detached", start_slowly)
    installation.start()
    assert seen == ["installing"]
    kill(installation)


def test_an_install_script_that_crashes_shows_its_words(project: Project) -> None:
    installation = Installation(project.venv, project.root)
    script = project.root / "install.py"
    script.write_text(script.read_text(encoding="utf-8").replace("def main(", "def main_(") + "\n", encoding="utf-8")
    installation.start()
    state = wait(installation, ended)
    assert state.state == "failed"
    assert "NameError" in state.log


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_whole_installation_goes_on_without_its_starter_and_is_updated(project: Project) -> None:
    """Begun by another process, which ends at once."""
    code = (
        "import sys; sys.path.insert(0, {scripts!r}); from pathlib import Path\n"
        "from wan_webui.installation import Installation\n"
        "Installation(Path({venv!r}), Path({root!r})).start()"
    ).format(scripts=str(INSTALL.parent / "scripts"), venv=str(project.venv), root=str(project.root))
    subprocess.run([sys.executable, "-c", code], check=True)
    installation = Installation(project.venv, project.root)
    told: set[str] = set()
    state = wait(installation, lambda state: told.update(state.log.splitlines()) or ended(state))
    assert state.state == "ready", state
    # A step may be over before the next look, but not forgotten.
    assert {line[:4] for line in told} >= {"1/4 ", "2/4 ", "3/4 "}
    assert installation.python.exists()
    project.lock.write_text("small_part==1.0\n# newer\n", encoding="utf-8")
    state = installation.state()
    assert (state.state, "updated" in state.message) == ("missing", True)
    installation.start()
    assert wait(installation, ended).state == "ready"
    assert installation.start().state == "ready"


def test_what_belongs_to_the_webuis_python_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "HF_HOME", "PYTORCH_CUDA_ALLOC_CONF", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/host")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = Installation(tmp_path / "venv").environment()
    assert "/host" not in environment.values()
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment["WAN_ENGINE_VENV"] == str(tmp_path / "venv")


@posix_only
def test_a_started_process_is_detached_and_leaves_no_zombie(tmp_path: Path) -> None:
    log = tmp_path / "folder" / "log"
    code = "import os, sys; print(os.getsid(0) == os.getpid()); print('wrong', file=sys.stderr)"
    process = start_detached([sys.executable, "-c", code], tmp_path, dict(os.environ), log)
    assert process.wait(60) == 0
    assert sorted(tail(log).splitlines()) == ["True", "wrong"]
    start_detached([sys.executable, "-c", code], tmp_path, dict(os.environ), log, errors_only=True).wait(60)
    assert tail(log) == "wrong"


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert tail(path) == ""
    path.write_bytes(b"x" * 100_000 + b"\nlast \xff line\n")
    assert tail(path, 1) == "last \ufffd line"
    assert len(tail(path, 5)) < 64_010
