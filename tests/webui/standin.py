"""Runs code inside the stand-ins' modules, each time in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ROOT / "tests" / "hosts"
STANDIN = HOSTS / "standin.py"
FOLDERS = {"a1111": (), "reforge": ("reforge",), "forge": ("forge",), "neo": ("forge",)}
KINDS = tuple(FOLDERS)


def run(kind: str, code: str, data: Path, *flags: str, python: str = sys.executable, **environ: str) -> Any:
    """What code prints inside the stand-in for this WebUI, after what that loads before any extension."""
    if kind != "a1111":
        code = f"import modules_forge.initialization\n{code}"
    (data / "extensions").mkdir(parents=True, exist_ok=True)
    link = data / "extensions" / "sd-webui-wan"
    if not link.exists():
        link.symlink_to(ROOT, target_is_directory=True)
    path = [HOSTS / folder for folder in ("webui", *FOLDERS[kind])]
    answer = subprocess.run(
        [python, "-c", code, "--data-dir", str(data), *flags],
        env={**os.environ, "STANDIN_HOST": kind, "PYTHONPATH": os.pathsep.join(map(str, path)), **environ},
        cwd=data,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
