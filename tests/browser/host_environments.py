"""Makes the Python environments in which the stand-in WebUIs run: gradio and its companions as the WebUIs pin them.

They lie in `.venv-hosts/`, which git ignores, one for every lock file and Python; a changed lock makes a new one. They
hold no torch, which neither the tab nor the stand-in needs.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".venv-hosts"
NEWEST = (3, 11)
"""The newest Python for which these old packages have wheels; the oldest is 3.10, which A1111 itself asks for."""

GRADIO_3 = "gradio-3.41.2"
"""As AUTOMATIC1111 1.10.1 and reForge pin it."""
GRADIO_4 = "gradio-4.40.0"
"""As Forge pins it."""

_INSTALL_SECONDS = 600


def python_of(name: str) -> Path:
    """The Python of the environment of `<name>.lock`, made first if it is not there. Raises RuntimeError with pip's
    own words if that fails."""
    base, version = _base_python()
    lock = HERE / f"{name}.lock"
    key = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{key}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    CACHE.mkdir(exist_ok=True)
    with FileLock(CACHE / f"{name}.making"):
        # Written last: an environment whose making was cut off is made again.
        complete = folder / "complete"
        if not complete.exists():
            for old in CACHE.glob(f"{name}-*/"):
                shutil.rmtree(old)
            _run([base, "-m", "venv", str(folder)])
            _run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(lock)])
            complete.touch()
    return python


def _base_python() -> tuple[str, str]:
    """A Python that is old enough, and its version."""
    if sys.version_info[:2] <= NEWEST:
        return sys.executable, f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in ("3.11", "3.10"):
        found = shutil.which(f"python{version}")
        if found is not None:
            return found, version
    raise RuntimeError("the WebUIs' packages need Python 3.10 or 3.11: install one so that it is on PATH")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
