"""The installer, run for real on a small project of its own: packages made here, no network; slow: the real project."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from small_project import Project

ROOT = Path(__file__).resolve().parent.parent
INSTALL = ROOT / "install.py"
LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "requirements-test.lock"

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs POSIX processes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose environment is made; tests leave it whole."""
    project = Project(tmp_path_factory.mktemp("install"))
    code, output = project.run("engine")
    assert code == 0, output
    return project


@pytest.fixture
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_under_test", INSTALL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- called by a WebUI, called wrongly --------------------------------------------------------------------------------


def test_in_a_webui_it_does_nothing_at_once(tmp_path: Path) -> None:
    project = Project(tmp_path)
    before = sorted(project.root.rglob("*"))
    host = tmp_path / "webui"
    host.mkdir()
    started = time.perf_counter()
    command = [sys.executable, str(project.root / "install.py")]
    answer = subprocess.run(
        command, cwd=host, env={**os.environ, "PYTHONPATH": str(host)}, capture_output=True, check=False
    )
    assert time.perf_counter() - started < 2
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"", b"")
    assert sorted(project.root.rglob("*")) == before
    assert list(host.iterdir()) == []


@posix_only
def test_at_a_terminal_it_says_how_it_is_used() -> None:
    import pty

    ours, theirs = pty.openpty()
    answer = subprocess.run([sys.executable, str(INSTALL)], stdout=theirs, check=False)
    os.close(theirs)
    assert answer.returncode == 0
    assert b"python install.py engine" in os.read(ours, 10_000)
    os.close(ours)


@pytest.mark.parametrize("arguments", [["film"], ["engine", "--fast"], ["demo", "x"]])
def test_a_wrong_call_is_answered_with_the_usage(arguments: list[str]) -> None:
    answer = subprocess.run([sys.executable, str(INSTALL), *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert " ".join(arguments) in answer.stdout
    assert "python install.py engine" in answer.stdout


def test_it_can_be_read_by_python_3_7() -> None:
    ast.parse(INSTALL.read_text(encoding="utf-8"), feature_version=(3, 7))


# --- the environment --------------------------------------------------------------------------------------------------


def test_the_environment_is_whole(made: Project) -> None:
    assert made.ask("import torch, small_part; print(torch.__version__, small_part.value)") == "2.13.0 1"
    assert "pip install torch==2.13.0" in (made.venv / "install.log").read_text(encoding="utf-8")


def test_what_is_made_is_not_made_again(made: Project) -> None:
    log = (made.venv / "install.log").read_bytes()
    started = time.perf_counter()
    code, output = made.run("engine", PIP_FIND_LINKS="/nowhere")
    assert (code, output.splitlines()) == (0, [f"Ready: {made.venv / 'bin' / 'python'}"])
    assert time.perf_counter() - started < 3
    assert (made.venv / "install.log").read_bytes() == log


def test_only_what_installs_asks_for_another_set_up(made: Project) -> None:
    pyproject = made.root / "pyproject.toml"
    before = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(f"# a word\n{before}\n[tool.ruff]\nline-length = 99\n", encoding="utf-8")
    output = made.run("engine", PIP_FIND_LINKS="/nowhere")[1]
    assert "Setting up" not in output
    pyproject.write_text(f'{before}\n[project]\nname = "other"\nversion = "1"\n', encoding="utf-8")
    output = made.run("engine")[1]
    assert "Setting up" in output
    pyproject.write_text(before, encoding="utf-8")
    assert made.run("engine")[0] == 0


def test_a_half_installed_package_comes_again(made: Project) -> None:
    module = next(made.venv.rglob("small_part.py"))
    whole = module.read_text(encoding="utf-8")
    module.write_text(whole[:100], encoding="utf-8")
    made.forget_stamp()
    code, output = made.run("engine")
    assert code == 0, output
    assert "half installed, comes again: small_part" in output
    assert "Python environment: it is there" in output
    assert module.read_text(encoding="utf-8") == whole


def test_a_failing_pip_says_what_and_what_to_do(made: Project) -> None:
    good = made.lock.read_text(encoding="utf-8")
    made.lock.write_text("no_such_part==1.0\n", encoding="utf-8")
    code, output = made.run("engine")
    assert code == 1
    assert "no_such_part" in output
    assert "This failed: pip install --no-deps -r" in output
    assert str(made.venv / "install.log") in output
    assert "Run the same command again" in output
    assert not (made.venv / "engine.stamp").exists()
    progress = made.root / ".venv.progress"
    assert "3/4 packages" in progress.read_text(encoding="utf-8")
    assert "\nfailed\n" in progress.read_text(encoding="utf-8")
    made.lock.write_text(good, encoding="utf-8")
    assert made.run("engine")[0] == 0
    assert progress.read_text(encoding="utf-8") == ""


def test_the_choice_of_torch_is_remembered_even_by_a_new_environment(made: Project) -> None:
    version = "import torch, small_part; print(torch.__version__)"
    code, output = made.run("engine", TORCH_COMMAND=made.other_torch)
    assert code == 0, output
    assert made.ask(version) == "2.13.0+other"
    (made.venv / "bin" / "python").unlink()
    code, output = made.run("engine")
    assert code == 0, output
    assert "Python environment with" in output
    assert made.ask(version) == "2.13.0+other"
    # Going back: for pip alone the other build of this version would do.
    assert made.run("engine", TORCH_COMMAND="pip install torch==2.13.0")[0] == 0
    assert made.ask(version) == "2.13.0"


@posix_only
@pytest.mark.parametrize("line", ["2/4", "3/4"])
@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["pip lives on", "all killed"])
def test_what_was_killed_goes_on(made: Project, line: str, kill: Callable[[int, int], None]) -> None:
    made.forget_stamp()
    process = made.start("engine")
    assert process.stdout is not None
    next(text for text in process.stdout if text.startswith(line))
    kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (made.venv / "engine.stamp").exists()
    code, output = made.run("engine")
    assert code == 0, output
    assert made.ask("import torch, small_part; print(small_part.value)") == "1"


def test_two_at_once_wait_for_each_other(made: Project) -> None:
    made.forget_stamp()
    first, second = made.start("engine"), made.start("engine")
    outputs = [process.communicate(timeout=200)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    waited = [output for output in outputs if output.startswith("Another run sets up")]
    assert len(waited) == 1
    assert "Setting up" not in waited[0]


def test_another_folder_is_left_alone_if_it_holds_something(made: Project, tmp_path: Path) -> None:
    (tmp_path / "install.log").write_text("of something else", encoding="utf-8")
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    code, output = made.run("engine", WAN_ENGINE_VENV=str(tmp_path))
    assert code == 1
    assert "WAN_ENGINE_VENV" in output
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_the_demo_renders_the_example(made: Project) -> None:
    code, output = made.run("demo")
    assert (code, output) == (0, "engine called with render examples/shapes.json --output-dir outputs\n")


def test_serve_hands_its_options_to_the_page(made: Project) -> None:
    code, output = made.run("serve", "--port", "7999")
    assert (code, output) == (0, "page called with --port 7999\n")


def test_the_first_failing_check_ends_the_test(made: Project) -> None:
    """This project has no ruff: its absence is the first failure, and nothing runs after it."""
    code, output = made.run("test", "-k", "nothing")
    assert code == 1
    assert "No module named ruff" in output
    assert "mypy" not in output
    assert (made.venv / "test.stamp").exists()


# --- finding a Python, cleaning the surroundings ----------------------------------------------------------------------


def test_this_python_fits(installer: ModuleType) -> None:
    assert installer.fitting_python([sys.executable]) == sys._base_executable
    assert installer.fitting_python(["/nowhere/python3.11"]) == ""


def test_without_a_fitting_python_a_sentence_says_so(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installer, "PYTHONS", ("3.97", "3.98", "3.99"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(installer.InstallError) as caught:
        installer.find_python()
    assert "Python 3.97, 3.98 or 3.99" in str(caught.value)
    assert sys.version.split()[0] in str(caught.value)
    assert "install Python 3.97 or uv" in str(caught.value)


@posix_only
def test_shims_that_do_not_answer_are_passed_over(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in {"python3.11": "exit 127", "python3.12": f'exec "{sys.executable}" "$@"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert installer.find_python() == sys._base_executable


def test_foreign_variables_do_not_reach_the_environment(installer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PIP_TARGET", "PIP_REQUIRE_VIRTUALENV", "HF_HOME", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.setenv(name, "/host")
    for name in ("PIP_INDEX_URL", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "the user's")
    kept = installer.clean_environment()
    assert "/host" not in kept.values()
    assert [kept[name] for name in ("PIP_INDEX_URL", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE")] == ["the user's"] * 4


# --- the locks --------------------------------------------------------------------------------------------------------


def pins(path: Path) -> dict[str, str]:
    lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.lstrip().startswith("#")
    ]
    found = [re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9.a-z]*)( ; .+)?", line) for line in lines]
    assert all(found), "only exact versions"
    return {each[1]: each[2] for each in found if each}


def test_the_locks_hold_exact_versions_and_no_torch() -> None:
    users, tests = pins(LOCK), pins(TEST_LOCK)
    assert users.items() <= tests.items()
    assert not [name for name in tests if name.startswith(("torch", "nvidia", "triton"))]
    assert not {"numexpr", "pytest", "mypy"} & set(users)
    assert int(users["rich"].split(".")[0]) < 15
    for path in (LOCK, TEST_LOCK):
        text = path.read_text(encoding="utf-8")
        assert "uv pip compile" in "".join(text.splitlines()[:2])
        assert "://" not in text


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {"LOCK": project["dependencies"], "TEST_LOCK": project["optional-dependencies"]["test"]}
    for lock, wanted in ((LOCK, names["LOCK"]), (TEST_LOCK, names["TEST_LOCK"])):
        assert {re.split(r"[<>=]", each)[0] for each in wanted} <= set(pins(lock))


# --- the real project -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(1500)
@posix_only
def test_the_real_environment_is_made_from_an_old_python(tmp_path: Path) -> None:
    """A clean copy of what git tracks, begun with Python 3.10 where there is one. Uses the package registry."""
    tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    for name in filter(None, tracked):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    old = next(iter(sorted(pyenv.glob("versions/3.10.*/bin/python"))), None) or shutil.which("python3.10")
    started = subprocess.run([str(old or sys.executable), "install.py", "engine"], cwd=tmp_path, check=False)
    assert started.returncode == 0
    modules = "torch, diffusers, transformers, av, cv2, PIL, wan_engine.doctor"
    subprocess.run([tmp_path / ".venv/bin/python", "-c", f"import {modules}"], check=True)
    told = subprocess.check_output([tmp_path / ".venv/bin/wan-engine", "doctor", "--json"], text=True)
    assert '"wan-engine"' in told or '"engine"' in told
