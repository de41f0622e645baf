"""A small project with the real install.py and packages made here, so that it can be installed without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

INSTALL = Path(__file__).resolve().parent.parent / "install.py"

BACKEND = """
import os, shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    return os.path.basename(shutil.copy({wheel!r}, folder))
"""
MAIN = "import sys\nprint('{} called with', *sys.argv[1:])\n"


def write_wheel(folder: str | Path, name: str, version: str, files: dict[str, str]) -> Path:
    """Write a wheel that holds these text files."""
    path = Path(folder) / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    every = {**files, **meta}
    record = "".join(f"{each},,{len(text)}\n" for each, text in every.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in {**every, f"{info}/RECORD": record}.items():
            wheel.writestr(each, text)
    return path


class Project:
    """A project with the real install.py and three small packages, one of them named torch."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.wheels = folder / "wheels"
        self.venv = self.root / ".venv"
        self.lock = self.root / "requirements.lock"
        for each in (self.root / "wan_engine", self.root / "wan_webui", self.wheels):
            each.mkdir(parents=True)
        shutil.copy(INSTALL, self.root)
        (self.root / "wan_engine" / "__main__.py").write_text(MAIN.format("engine"), encoding="utf-8")
        (self.root / "wan_webui" / "standalone.py").write_text(MAIN.format("page"), encoding="utf-8")
        itself = write_wheel(folder, "wan_engine", "0.1", {"wan_engine.pth": str(self.root)})
        (self.root / "backend.py").write_text(BACKEND.format(wheel=str(itself)), encoding="utf-8")
        (self.root / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
        )
        for name in ("requirements.lock", "requirements-test.lock"):
            (self.root / name).write_text("small_part==1.0\n", encoding="utf-8")
        self.other_torch = f"pip install torch==2.13.0 --find-links {folder}"
        for place, version in ((self.wheels, "2.13.0"), (folder, "2.13.0+other")):
            write_wheel(place, "torch", version, {"torch/__init__.py": f"__version__ = {version!r}\n"})
        write_wheel(self.wheels, "small_part", "1.0", {"small_part.py": "value = 1\n" * 1000})

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), **more}

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(self.root / "install.py"), *arguments],
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **more: str) -> tuple[int, str]:
        process = self.start(*arguments, **more)
        output = process.communicate(timeout=200)[0]
        return process.returncode, output

    def ask(self, code: str) -> str:
        python = self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        return subprocess.check_output([python, "-c", code], text=True).strip()

    def forget_stamp(self) -> None:
        (self.venv / "engine.stamp").unlink()
