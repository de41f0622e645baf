"""Says how the engine's Python environment stands, and makes it in the background with install.py.

What it says is read from files that install.py leaves beside the environment, so a second window, a reloaded page and
a WebUI that was started again all see the same run.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wan_webui.hosts import PROJECT
from wan_webui.process import start_detached, tail

STEPS = 4
"""Steps that install.py counts."""

_STEP_MARKS = tuple(f"{step}/{STEPS} " for step in range(1, STEPS + 1))
_CUT_OFF = "The installation was cut off. Start it again: it goes on where it stopped."


@dataclass(frozen=True)
class InstallState:
    """state: `missing`, `installing`, `ready` or `failed`.  step: 1 to 4 while installing, else 0.

    message: what is being done, or what is wrong and what to do.  log: the last lines of the run.
    """

    state: str
    step: int = 0
    message: str = ""
    log: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, with the number of steps."""
        return {**asdict(self), "steps": STEPS}


class Installation:
    """The environment in `folder`, made by the install.py of `project`."""

    def __init__(self, folder: Path, project: Path = PROJECT) -> None:
        self.folder = folder
        self._script = project / "install.py"
        self._installer = _load(self._script)
        self._engine = self._installer.Engine(folder)
        self._starting = threading.Lock()
        self._run: subprocess.Popen[bytes] | None = None

    @property
    def python(self) -> Path:
        """The environment's Python; it works once the state is `ready`."""
        return Path(self._engine.python)

    def environment(self) -> dict[str, str]:
        """The variables for processes of the engine: this program's without those that are meant for its own Python."""
        return {**self._installer.clean_environment(), "WAN_ENGINE_VENV": str(self.folder)}

    def is_ready(self) -> bool:
        """If the engine can be started; reads a few small files."""
        return bool(self._engine.is_ready("engine"))

    def state(self) -> InstallState:
        """How the environment stands."""
        lines = tail(self._engine.progress, 400).splitlines()
        log = "\n".join(lines[-20:])
        if self._is_running():
            marked = [line for line in lines if line.startswith(_STEP_MARKS)]
            message = lines[-1].strip() if lines else "The installation begins"
            return InstallState("installing", int(marked[-1][0]) if marked else 0, message, log)
        if self.is_ready():
            return InstallState("ready")
        if lines:
            failed = self._installer.FAILED
            reason = "\n".join(lines[lines.index(failed) + 1 :]) if failed in lines else _CUT_OFF
            return InstallState("failed", message=reason, log=log)
        if self.python.exists():
            return InstallState("missing", message="The engine was updated: install again, what still fits is kept.")
        return InstallState("missing", message="The engine's own Python environment is not installed yet.")

    def start(self) -> InstallState:
        """Begin the installation, or go on with one that was cut off; nothing if it runs or is done. Raises OSError."""
        with self._starting:
            if not self._runs() and not self.is_ready():
                command: list[str | Path] = [sys.executable, self._script, "engine"]
                folder, log = self._script.parent, self._engine.progress
                self._run = start_detached(command, folder, self.environment(), log, errors_only=True)
        return self.state()

    def _is_running(self) -> bool:
        # A start takes a moment on a busy machine, and has emptied the progress file by then.
        return self._starting.locked() or self._runs()

    def _runs(self) -> bool:
        ours = self._run is not None and self._run.poll() is None
        return ours or bool(self._engine.is_being_set_up())


def _load(script: Path) -> Any:
    """install.py as a module: it knows what a finished environment is. It needs the standard library only."""
    spec = importlib.util.spec_from_file_location("wan_install", script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
