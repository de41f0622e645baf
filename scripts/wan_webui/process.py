"""Starts processes that outlive the WebUI: detached, with an environment of their own, their output in a file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path


def start_detached(
    command: Sequence[str | Path], folder: Path, environment: dict[str, str], log: Path, *, errors_only: bool = False
) -> subprocess.Popen[bytes]:
    """Start a command that goes on when this program ends, even by Ctrl+C. Raises OSError.

    log: file that gets what it prints, emptied first; with `errors_only` just what it prints as errors.
    `subprocess.run` is not used: Forge Neo replaces it and rewrites commands.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    log.write_bytes(b"")
    with log.open("ab") as file:
        process = subprocess.Popen(  # noqa: S603  the command is made of paths and fixed words
            [str(word) for word in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if errors_only else file,
            stderr=file,
            start_new_session=sys.platform != "win32",
            creationflags=flags,
        )
    # Without this a process that ended would stay as a zombie as long as the WebUI runs.
    threading.Thread(target=process.wait, name="wan-reaper", daemon=True).start()
    return process


def tail(path: Path, lines: int = 20, most_bytes: int = 64_000) -> str:
    """The last lines of a text file; empty if there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - most_bytes))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
