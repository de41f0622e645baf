"""The entry as WebUIs run it: quick, without torch, in both ways of handling sys.path, again at Reload UI."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from wan_engine.home import INFO_FILE
from webui.small_engine import free_port
from webui.standin import KINDS, ROOT, STANDIN, run
from yardstick import slowness

HOST_SIDE = [
    ROOT / "preload.py",
    ROOT / "scripts/wan_tab.py",
    *sorted((ROOT / "scripts/wan_webui").glob("*.py")),
    *(ROOT / f"scripts/wan_engine/{name}.py" for name in ("__init__", "errors", "home", "settings", "settings_check")),
    *sorted((ROOT / "tests/hosts").rglob("*.py")),
]

LOAD = """
import json, sys, time
import gradio
from modules import errors, script_callbacks, scripts
before, path = set(sys.modules), list(sys.path)
began = time.process_time()
scripts.load_scripts()
loaded = time.process_time() - began
script_callbacks.run("ui_settings")
tabs = [each for entry in script_callbacks.run("ui_tabs") for each in entry]
with gradio.Blocks() as demo:
    for tab, _, _ in tabs:
        tab.render()
seconds = time.process_time() - began
names = [[title, name] for _, title, name in tabs]
scripts.load_scripts()
counts = {category: len(entries) for category, entries in script_callbacks.callbacks.items()}
new = set(sys.modules) - before
print(json.dumps({
    "loaded": loaded, "seconds": seconds, "tabs": names, "errors": errors.reported, "counts": counts,
    "heavy": sorted(new & {"torch", "diffusers", "transformers", "av", "cv2", "numpy"}),
    "entered": sorted({name.partition(".")[0] for name in new if "wan" in name} - {"wan_webui", "wan_engine"}),
    "path": [each for each in sys.path if each not in path],
}))
"""


@pytest.mark.parametrize("kind", ["a1111", pytest.param("neo", marks=pytest.mark.slow)])
def test_it_loads_quickly_and_registers_once(kind: str, tmp_path: Path) -> None:
    found = run(kind, LOAD, tmp_path)
    assert found["errors"] == []
    assert found["tabs"] == [["Wan", "wan"]]
    assert found["heavy"] == found["entered"] == []
    expected = {"ui_settings": 1, "ui_tabs": 1, "app_started": 1, "script_unloaded": 1}
    assert {name: count for name, count in found["counts"].items() if count} == expected
    assert len(found["path"]) <= (0 if kind == "a1111" else 2)
    # Without bytecode of an earlier start; test_start_cost.py has the promise for all of it.
    assert found["loaded"] < 0.2 * slowness(), found
    assert found["seconds"] < 1.5 * slowness(), found


@pytest.mark.slow
def test_what_fails_is_shown_by_the_webui_which_goes_on(tmp_path: Path) -> None:
    other = tmp_path / "extensions" / "broken"
    shutil.copytree(ROOT / "scripts", other / "scripts", ignore=shutil.ignore_patterns("wan_engine", "__pycache__"))
    code = LOAD.replace("before, path", "sys.modules['wan_engine'] = None\nbefore, path")
    found = run("a1111", code, tmp_path)
    assert found["tabs"] == []
    assert "wan_tab.py" in found["errors"][0]


@pytest.mark.parametrize("path", HOST_SIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_host_side_can_be_read_by_python_3_10(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))


def test_floor_0_runs_on_python_3_10() -> None:
    python = shutil.which("python3.10")
    works = python and subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0
    if not python or not works:
        pytest.skip("there is no Python 3.10 on PATH")
    code = "import wan_engine.errors, wan_engine.home, wan_engine.settings_check, wan_engine.families"
    subprocess.run([python, "-c", code], cwd=ROOT / "scripts", check=True)


# --- whole stand-ins with gradio's server -----------------------------------------------------------------------------

STARTED = ("Startup time", "Uvicorn running on")
"""What a stand-in says when it is up, with its page and without."""


@contextmanager
def webui(kind: str, data: Path, *flags: str) -> Iterator[httpx.Client]:
    """A running stand-in; its address."""
    port = free_port()
    command = [sys.executable, str(STANDIN), "--host", kind, "--port", str(port), "--data", str(data), *flags]
    environ = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    with (data / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as browser:
        try:
            wait_for_start(data)
            yield browser
        finally:
            process.terminate()
            process.wait(60)


def wait_for_start(data: Path, times: int = 1, seconds: float = 120) -> None:
    """Wait until the stand-in has said so often that it is up: before that some of its routes answer already."""
    end = time.monotonic() + seconds
    while sum((data / "log").read_text(errors="replace").count(words) for words in STARTED) < times:
        assert time.monotonic() < end, (data / "log").read_text(errors="replace")
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_webui_with_the_tab_is_reloaded(kind: str, tmp_path: Path) -> None:
    with webui(kind, tmp_path) as browser:
        for times in (1, 2):
            wait_for_start(tmp_path, times)
            found = browser.get("/standin").json()
            assert found["errors"] == []
            assert found["callbacks"]["app_started"] == found["callbacks"]["ui_tabs"] == 1
            assert found["model_device"] == "cuda"
            assert "tab_wan" in json.dumps(browser.get("/config").json())
            assert browser.get("/wan/v1/engine").json()["host"] == kind
            assert browser.get("/wan/v1/jobs").status_code == 503
            browser.post("/standin/reload")
    assert not (tmp_path / "models/wan/state" / INFO_FILE).exists()


@pytest.mark.slow
def test_a_webui_without_pages_has_the_routes(tmp_path: Path) -> None:
    with webui("forge", tmp_path, "--nowebui", "--api", "--api-auth", "a:b") as browser:
        assert browser.get("/wan/v1/engine").status_code == 401
        assert browser.get("/sdapi/v1/options").status_code == 401
        assert browser.get("/wan/v1/engine", auth=("a", "b")).status_code == 200


@pytest.mark.slow
def test_both_passwords_below_a_path(tmp_path: Path) -> None:
    flags = ("--gradio-auth", "u:p", "--api-auth", "a:b", "--subpath", "films", "--listen")
    with webui("a1111", tmp_path, *flags) as browser:
        assert browser.get("/wan/v1/engine").status_code == 401
        assert browser.get("/wan/v1/engine", auth=("a", "b")).json()["restriction"] == ""
        assert browser.post("/login", data={"username": "u", "password": "p"}).status_code == 200
        assert browser.get("/wan/v1/engine").status_code == 200
