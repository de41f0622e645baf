"""What the extension adds to a WebUI's start, with the gradio of A1111 and reForge, and of Forge and Forge Neo."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser.servers import GRADIO_OF, python_of
from webui.standin import run
from yardstick import slowness

MOST_SECONDS = 0.2
RUNS = 3
"""The first has no bytecode yet; of the others the quickest counts, for the machine may be busy."""

START = """
import json, time
import gradio
from fastapi import FastAPI
from modules import errors, script_callbacks, scripts
took = {}
def span(name, call, *given):
    began = time.process_time()
    result = call(*given)
    took[name] = time.process_time() - began
    return result
span("load", scripts.load_scripts)
span("settings", script_callbacks.run, "ui_settings")
tabs = span("tabs", script_callbacks.run, "ui_tabs")
with gradio.Blocks(analytics_enabled=False) as demo, gradio.Tabs(), gradio.TabItem("Wan"):
    before = len(demo.blocks)
    span("elements", tabs[0][0][0].render)
    made = len(demo.blocks) - before
span("routes", script_callbacks.run, "app_started", demo, FastAPI())
print(json.dumps({"took": took, "made": made, "errors": errors.reported}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["a1111", "forge"])
def test_a_start_takes_hardly_longer(kind: str, tmp_path: Path) -> None:
    python = str(python_of(GRADIO_OF[kind]))
    # Whatever the tests' own environment says, a WebUI keeps its bytecode.
    kept = {"PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    found = [run(kind, START, tmp_path, python=python, **kept) for _ in range(RUNS)]
    assert not any(each["errors"] for each in found)
    assert all(each["made"] > 100 for each in found)
    quickest = min((each["took"] for each in found[1:]), key=lambda took: sum(took.values()))
    assert sum(quickest.values()) < MOST_SECONDS * slowness(), quickest
