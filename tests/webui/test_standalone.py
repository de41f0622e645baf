"""The page of its own: one server with the tab, its script and style, and the routes; on this machine alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from wan_webui import services, standalone
from wan_webui.hosts import PROJECT, Alone
from wan_webui.standalone import LOOPBACK, Place


@pytest.fixture
def serving(tmp_path: Path) -> services.Services:
    return services.use(Alone(tmp_path / "outputs", home=tmp_path / "home"))


def test_one_application_has_page_script_style_and_routes(serving: services.Services) -> None:
    with TestClient(standalone.make_app(serving)) as client:
        page = client.get("/").text
        engine = client.get("/wan/v1/engine").json()
        config = client.get("/config").json()
    assert "wan_generate" in json.dumps(config)
    assert "window.wanTab" in page
    assert "#wan .wan-plan" in page
    assert (engine["host"], engine["running"]) == ("alone", False)


def test_nothing_is_loaded_from_elsewhere_by_the_tab() -> None:
    """gradio's own page asks for fonts elsewhere; what is ours does not."""
    for path in [*standalone.page_scripts(), PROJECT / "style.css"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]+/|@import|url\(", text), path.name


def test_a_taken_port_is_passed_over() -> None:
    first = standalone._bind(Place(port=0))
    taken = first.getsockname()[1]
    second = standalone._bind(Place(port=taken))
    assert second.getsockname()[0] == LOOPBACK
    assert taken < second.getsockname()[1] < taken + 20
    first.close()
    second.close()


def test_a_port_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        standalone.main(["--port", "65536"])
    assert "65536 lies outside 0 to 65535" in capsys.readouterr().err
    monkeypatch.setattr(standalone, "_PORTS_TRIED", 1)
    with standalone._bind(Place(port=0)) as taken:
        place = Place(port=taken.getsockname()[1])
        assert standalone._Server(FastAPI(), place).run(open_browser=False) == 1
    assert f"No port from {place.port} on" in capsys.readouterr().err


def test_with_listen_others_may_not_delete() -> None:
    assert Alone(Path("outputs")).access.restriction == ""
    assert "without --listen" in Alone(Path("outputs"), public=True).access.restriction


@pytest.mark.slow
def test_it_starts_and_says_where(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wan_webui.standalone", "--no-browser", "--outputs", str(tmp_path / "films")]
    environ = {**os.environ, "WAN_HOME": str(tmp_path / "home"), "WAN_ENGINE_VENV": str(tmp_path / "none")}
    environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "PYTHONPATH": str(PROJECT / "scripts")}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ)
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"Wan is at (http://127\.0\.0\.1:\d+/)\n", process.stdout.readline())
        assert found
        with httpx.Client(base_url=found[1], trust_env=False, timeout=60) as client:
            assert client.get("wan/v1/engine").json()["install"]["state"] == "missing"
            assert "window.wanTab" in client.get("").text
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)
