"""A disk of a few megabytes, which a test can fill up."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes, if one may be mounted here."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
        mounted = subprocess.run(mount, capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(folder: Path) -> Path:
    """What another program writes until nothing more fits."""
    path = folder / "other.bin"
    with path.open("wb", buffering=0) as file:
        # Again, for a file that could not be written whole meanwhile is removed.
        while shutil.disk_usage(folder).free:
            with contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass
    return path
