"""Makes the engine's own Python environment and starts what was asked for.

    python install.py engine           make or mend the environment
    python install.py demo             the same, then render examples/shapes.json into outputs/
    python install.py serve [options]  the same, then show the Wan page, without a WebUI; options go to it
    python install.py test [options]   the same with the test packages, then check and test; options go to pytest

A WebUI runs this file without arguments at every launch: then it does nothing, and it never touches the WebUI's own
packages. Written for any Python from 3.7 on with the standard library alone: the environment gets a fitting one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Iterator

say = partial(print, flush=True)
ROOT = Path(__file__).resolve().parent
WINDOWS = sys.platform == "win32"
PYTHONS = ("3.11", "3.12", "3.13")  # the tests run on the first
TORCH = "pip install torch==2.13.0"
LOCKS = {"engine": ROOT / "requirements.lock", "test": ROOT / "requirements-test.lock"}
# What the environment's Python runs after the set-up.
DEMO = ["wan_engine render examples/shapes.json --output-dir outputs"]
TEST = ["ruff check", "ruff format --check", "mypy", "pytest -m 'not slow'"]
SERVE = ["wan_webui.standalone"]
VERBS = {"engine": [], "demo": DEMO, "serve": SERVE, "test": TEST}  # type: dict[str, list[str]]
INSTALLS = ("[build-system", "[project", "[tool.setuptools")  # the tables of pyproject.toml that pip reads
FAILED = "failed"  # the line in the progress file before the reason

# What a WebUI, a virtual environment or pip's settings may leave here that would reach into the new environment.
FOREIGN = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "PYENV_VERSION", "__PYVENV_LAUNCHER__"),
    *("PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_CONSTRAINT"),
    *("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"),
)
# What a user sets for downloads of models. The others of these names are the WebUI's: Forge sets HF_HOME for itself.
OF_THE_USER = ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE")
# Asked of each Python: its version and path (outside any venv), if it can make environments and run torch.
PROBE = (
    "import sys, venv, ensurepip; assert sys.maxsize > 2**32 and sys.implementation.name == 'cpython'; "
    "print('%d.%d' % sys.version_info[:2]); print(sys._base_executable)"
)

# Run in an environment whose making may have been cut off. A package with a missing or short file is forgotten, so
# that pip installs it again; its name is printed. Fails without pip.
FORGET_BROKEN = """
import importlib.metadata, os, pip, shutil
for dist in importlib.metadata.distributions():
    whole = dist.files and all(
        os.path.exists(file.locate()) and file.size in (None, os.path.getsize(file.locate())) for file in dist.files
    )
    if not whole and str(dist._path).endswith(".dist-info"):
        print(os.path.basename(dist._path).split("-")[0])
        shutil.rmtree(dist._path)
"""
ADVICE = "Usual causes: no network, a proxy, a full disk. Run the same command again: it goes on where it stopped."


class InstallError(Exception):
    """What went wrong and what to do, for people."""


def clean_environment() -> dict[str, str]:
    """The environment variables without what others put there for a Python of their own."""
    foreign = {name for name in os.environ if name in FOREIGN or (name.startswith("HF_") and name not in OF_THE_USER)}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def ask(command: list[str]) -> str | None:
    """What a command prints, or None if it does not start, fails or takes more than a minute."""
    try:
        return subprocess.check_output(
            command, stderr=subprocess.DEVNULL, env=clean_environment(), timeout=60, encoding="utf-8", errors="replace"
        ).strip()
    except (OSError, subprocess.SubprocessError):
        return None


def fitting_python(command: list[str]) -> str:
    """The path of the Python that the command starts if it can make the environment, else an empty text."""
    version, _, path = (ask([*command, "-c", PROBE]) or "").partition("\n")
    return path.strip() if version.strip() in PYTHONS else ""


def python_commands() -> Iterator[list[str]]:
    """Commands that may start a fitting Python, the likeliest first; uv, which may download one, comes last."""
    on_path = [shutil.which("python" + version) for version in (*PYTHONS, "3", "")]
    yield from ([path] for path in (sys.executable, *on_path) if path)
    if WINDOWS and shutil.which("py"):
        yield from (["py", "-" + version] for version in PYTHONS)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for version in PYTHONS:
        yield from ([str(path)] for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python")))
    uv = shutil.which("uv")
    if uv:
        say("No Python {}, {} or {} answers here: asking uv for one.".format(*PYTHONS))
        subprocess.run([uv, "python", "install", PYTHONS[0]], env=clean_environment(), check=False)
        yield [ask([uv, "python", "find", "--no-project", PYTHONS[0]]) or ""]


def find_python() -> str:
    """The path of a Python that can make the environment. Raises InstallError if there is none."""
    for python in filter(None, map(fitting_python, python_commands())):
        return python
    raise InstallError(
        "The engine needs Python {0}, {1} or {2} with venv and ensurepip, and none was found (this is {3}): "
        "install Python {0} or uv, then run the same command again.".format(*PYTHONS, sys.version.split()[0])
    )


class Engine:
    """The environment's folder and what is done in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
        self.log = folder / "install.log"
        # What a set-up says and why it failed, for the WebUI's tab; empty when all is well.
        self.progress = Path(str(folder) + ".progress")
        self.torch_file = folder / "torch-command.txt"
        self.lock = Path(str(folder) + ".lock")
        self.stamps = {level: folder / (level + ".stamp") for level in LOCKS}
        self.lock_fd = -1

    def key(self, level: str) -> str:
        """What a finished environment was made from; a change of it asks for another set-up."""
        parts = [str(ROOT), str(self.folder), self.torch_command()]
        parts += [read(self.folder / "pyvenv.cfg"), read(LOCKS[level]), what_installs(read(ROOT / "pyproject.toml"))]
        return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()

    def is_ready(self, level: str) -> bool:
        return self.python.exists() and read(self.stamps[level]) == self.key(level)

    def torch_command(self) -> str:
        """How torch is installed: as the user says now, as the user said before, or the pinned version."""
        index = os.environ.get("TORCH_INDEX_URL")
        by_index = TORCH + " --extra-index-url " + index if index else ""
        return os.environ.get("TORCH_COMMAND") or by_index or read(self.torch_file) or TORCH

    def set_up(self, level: str) -> None:
        """Bring the environment to what the lock says, from whatever state it is in."""
        started = time.time()
        self.progress.write_text("", encoding="utf-8")
        self.tell(f"Setting up the engine's environment in {self.folder}")
        self._make_folder()
        for stamp in filter(Path.exists, self.stamps.values()):
            stamp.unlink()
        self._install_torch()
        self.tell("3/4 packages of " + LOCKS[level].name)
        # Without dependencies: the lock is complete, and nothing in it can make pip replace torch.
        self._pip("pip install --no-deps -r", str(LOCKS[level]))
        self.tell("4/4 the engine itself")
        self._pip("pip install --no-deps --no-build-isolation -e", str(ROOT))
        self._pip("pip check")
        for done in LOCKS if level == "test" else ("engine",):
            write(self.stamps[done], self.key(done))
        # Not removed: Windows does not while a WebUI has it open.
        self.progress.write_text("", encoding="utf-8")
        say(f"Set up in {time.time() - started:.0f} s.")

    def tell(self, text: str) -> None:
        """Say it, here and in the progress file."""
        say(text)
        with self.progress.open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _make_folder(self) -> None:
        inside, marks = {path.name for path in self.folder.glob("*")}, {"install.log", "torch-command.txt"}
        ours = inside <= marks or {"pyvenv.cfg", *marks} <= inside
        if not ours and self.folder != ROOT / ".venv":
            raise InstallError(f"{self.folder} holds other things: name a new folder in WAN_ENGINE_VENV.")
        if self._works():
            self.tell("1/4 Python environment: it is there")
            return
        python, torch_command = find_python(), read(self.torch_file)
        self.tell("1/4 Python environment with " + python)
        shutil.rmtree(str(self.folder), ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        write(self.torch_file, torch_command)
        self._run([python, "-m", "venv", str(self.folder)], "The environment cannot be made")

    def _works(self) -> bool:
        if not fitting_python([str(self.python)]):
            return False
        broken = ask([str(self.python), "-I", "-c", FORGET_BROKEN])
        if broken:
            self.tell("    half installed, comes again: " + ", ".join(broken.split()))
        return broken is not None and "pip" not in broken.split()

    def _install_torch(self) -> None:
        command = self.torch_command()
        self.tell("2/4 torch: " + command)
        if command != (read(self.torch_file) or TORCH):
            # Another build of the same version counts as installed for pip.
            self._pip("pip uninstall -y torch")
            write(self.torch_file, command)
        # What the pinned torch needs comes in the lock's versions; TORCH_COMMAND is the user's own affair.
        exact = ["-c", str(LOCKS["engine"])] if command.startswith(TORCH) else []
        self._pip(command, *exact)
        self._run([str(self.python), "-c", "import torch; print(torch.__version__)"], "torch cannot be loaded")

    def _pip(self, command: str, *more: str) -> None:
        words = shlex.split(command, posix=not WINDOWS)
        self._run([str(self.python), "-m", *words, *more], "This failed: " + " ".join([command, *more]))

    def _run(self, command: list[str], failure: str) -> None:
        """Run a command with its output in the log and its downloads on the screen. Raises InstallError."""
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            cwd=str(ROOT),
            env=clean_environment(),
            # A command that outlives this program, which may be killed, keeps the lock until it ends.
            pass_fds=() if WINDOWS else (self.lock_fd,),
        )
        last = deque(maxlen=15)  # type: deque[str]
        with self.log.open("a", encoding="utf-8", buffering=1) as log:
            log.write("$ {}\n".format(" ".join(command)))
            for line in process.stdout or ():
                log.write(line)
                last.append(line)
                if line.lstrip().startswith(("Downloading ", "Installing collected")):
                    self.tell("    " + line.strip()[:110])
        if process.wait() != 0:
            raise InstallError(f"{''.join(last)}\n{failure}.\nThe whole log: {self.log}\n{ADVICE}")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other run works on the environment. The system drops the lock of a run that was killed."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.lock.open("a+b") as file:
            self.lock_fd = file.fileno()
            if not try_lock(self.lock_fd):
                say(f"Another run sets up {self.folder}: waiting for it.")
                while not try_lock(self.lock_fd):
                    time.sleep(0.2)
            yield

    def is_being_set_up(self) -> bool:
        """If another run works on the environment now."""
        if not self.lock.exists():
            return False
        with self.lock.open("a+b") as file:
            return not try_lock(file.fileno())


def try_lock(fd: int) -> bool:
    """Take the lock on an open file if it is free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def read(path: Path) -> str:
    """A file's text, empty if there is no such file."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return path.read_text(encoding="utf-8")
    return ""


def what_installs(pyproject: str) -> str:
    """What of pyproject.toml a set-up depends on: packages and scripts, not comments and other tools' settings."""
    kept, wanted = [], False
    for line in pyproject.splitlines():
        if line.startswith("["):
            wanted = line.startswith(INSTALLS)
        if wanted and line.strip() and not line.lstrip().startswith("#"):
            kept.append(line)
    return "\n".join(kept)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def takes_options(command: str) -> bool:
    """If what stands behind the verb goes to this command."""
    return command.startswith(("wan_webui", "pytest"))


def main(arguments: list[str]) -> int:
    """Do what the arguments ask for; the result is the exit code."""
    verb, options = (arguments or [""])[0], arguments[1:]
    if verb in ("", "-h", "--help"):
        # A WebUI reads the output through a pipe.
        if verb or sys.stdout.isatty():
            say(__doc__)
        return 0
    if verb not in VERBS or (options and not any(map(takes_options, VERBS[verb]))):
        say("install.py does not know this: {}\n\n{}".format(" ".join(arguments), __doc__))
        return 2
    engine = Engine(Path.cwd() / Path(os.environ.get("WAN_ENGINE_VENV") or ROOT / ".venv").expanduser())
    level = "test" if verb == "test" else "engine"
    try:
        with engine.locked():
            if not engine.is_ready(level):
                engine.set_up(level)
    except (InstallError, OSError) as error:
        say(f"\n{error}")
        # A full disk may be what failed; then the screen alone has it.
        with contextlib.suppress(OSError), engine.progress.open("a", encoding="utf-8") as file:
            file.write(f"{FAILED}\n{error}\n")
        return 1
    if verb == "engine":
        say(f"Ready: {engine.python}")
    code = 0
    for command in VERBS[verb]:
        words = [str(engine.python), "-m", *shlex.split(command), *(options if takes_options(command) else [])]
        code = code or subprocess.run(words, cwd=str(ROOT), env=clean_environment(), check=False).returncode
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("\nStopped. Run the same command again: it goes on where it stopped.")
        sys.exit(130)
