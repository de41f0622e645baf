"""The story on a real WebUI when `WEBUI_DIR` names its folder; it runs as it is, with a data folder of the test's own.

`WEBUI_PYTHON`: its Python, by default the one of its `venv`.  `WEBUI_ARGS`: more flags, such as `--always-cpu`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.servers import ROOT, Server
from browser.story import Story

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif("WEBUI_DIR" not in os.environ, reason="WEBUI_DIR names no folder of a WebUI"),
]

FLAGS = ("--skip-prepare-environment", "--skip-python-version-check", "--skip-version-check", "--no-download-sd-model")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The WebUI with this extension."""
    webui = Path(os.environ["WEBUI_DIR"]).absolute()
    python = os.environ.get("WEBUI_PYTHON") or str(webui / "venv" / "bin" / "python")
    folder = tmp_path_factory.mktemp("webui")
    data = folder / "data"
    (data / "extensions").mkdir(parents=True)
    (data / "extensions" / "sd-webui-wan").symlink_to(ROOT, target_is_directory=True)
    # Forge's pages are refused their own scripts when the data lies elsewhere.
    folders = ["--data-dir", str(data), "--gradio-allowed-path", str(webui)]
    command = [python, "launch.py", *FLAGS, *folders, *shlex.split(os.environ.get("WEBUI_ARGS", ""))]
    home = data / "models" / "wan" / "state"
    made = Server(command, home, folder / "log.txt", folder=webui, start_seconds=240)
    made.start()
    yield made
    made.close()


class TestStory(Story):
    """On the WebUI of the fixture."""
