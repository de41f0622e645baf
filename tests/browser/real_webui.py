"""Starts the real WebUIs whose folders `WEBUI_DIR` names, each with this extension and a data folder of its own."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from browser.servers import DEFORUM, ROOT, Server

PROBE = ROOT / "tests" / "hosts" / "probe"
"""A second extension, for the tests alone: it tells how the WebUI's queue and its model stand."""

HANGS = "Cannot add middleware after an application has started"
"""What a WebUI writes, and then answers no more, when a request came while it added its API at a start."""

_AS_IT_IS = ("--skip-prepare-environment", "--skip-python-version-check", "--skip-version-check")
_NO_DOWNLOAD = "--no-download-sd-model"
# Its own models are not used.
_NO_GPU = ("--use-cpu", "all", "--no-half")


def webuis() -> list[Path]:
    """The folders of the WebUIs to test, from `WEBUI_DIR`."""
    return [Path(each).absolute() for each in os.environ.get("WEBUI_DIR", "").split(os.pathsep) if each]


def real(webui: Path, folder: Path, *flags: str) -> Server:
    """The WebUI of this folder, with its data in another one. Its Python is `WEBUI_PYTHON` or that of its `venv`."""
    python = os.environ.get("WEBUI_PYTHON") or str(webui / "venv" / "bin" / "python")
    data = folder / "data"
    extensions = data / "extensions"
    extensions.mkdir(parents=True)
    (extensions / "sd-webui-wan").symlink_to(ROOT, target_is_directory=True)
    (extensions / "wan-probe").symlink_to(PROBE, target_is_directory=True)
    (extensions / "deforum").symlink_to(DEFORUM, target_is_directory=True)
    # Forge's pages are refused their own scripts when the data lies elsewhere.
    folders = ("--data-dir", str(data), "--gradio-allowed-path", str(webui))
    checks = [*_AS_IT_IS, "--skip-torch-cuda-test", "--log-startup"]
    # Forge Neo fetches none, and does not start with a flag that it does not know.
    if _NO_DOWNLOAD in (webui / "modules" / "cmd_args.py").read_text(encoding="utf-8"):
        checks.append(_NO_DOWNLOAD)
    more = (*_no_gpu(webui), *flags, *shlex.split(os.environ.get("WEBUI_ARGS", "")))
    home = data / "models" / "wan" / "state"
    command = [python, "launch.py", *checks, *folders, *more]
    return Server(command, home, folder / "log.txt", folder=webui, broken=(HANGS,), start_seconds=240)


def _no_gpu(webui: Path) -> tuple[str, ...]:
    """The flags that keep this WebUI on the CPU. Forge Neo, from 2026 on, has its sister's flag under another name."""
    if not (webui / "modules_forge").is_dir():
        return _NO_GPU
    flags = webui / "backend" / "args.py"
    is_renamed = flags.is_file() and '"--cpu"' in flags.read_text(encoding="utf-8")
    return ("--cpu",) if is_renamed else ("--always-cpu",)
