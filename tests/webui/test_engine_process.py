"""The engine's process: found, started once, killed and started again, replaced, ended; with the real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from fastapi import FastAPI

from wan_engine import __version__
from wan_engine.home import INFO_FILE, EngineInfo, read_info
from wan_webui import engine_process, routes
from wan_webui.client import ClientError, EngineClient
from wan_webui.engine_process import EngineProcess, EngineUnavailable, Patience
from wan_webui.installation import Installation
from wan_webui.services import Services
from wan_webui.vram import VramWatch
from webui.small_engine import OpenHost, free_port, leave_info, served

FILM = {"prompts": {"0": "a red circle"}, "max_frames": 8, "width": 64, "height": 64}


class ThisEnvironment(Installation):
    """The environment in which the tests run, whatever its stamp says."""

    @property
    def python(self) -> Path:
        return Path(sys.executable)

    def is_ready(self) -> bool:
        return True


def make(home: Path, patience: Patience = Patience()) -> EngineProcess:  # noqa: B008  frozen
    return EngineProcess(home, ThisEnvironment(home / "venv"), home / "films", [home / "models"], patience)


def end(info: EngineInfo | None) -> None:
    if info and psutil.pid_exists(info.pid):
        process = psutil.Process(info.pid)
        for each in (*process.children(recursive=True), process):
            each.kill()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    end(read_info(folder))


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_it_is_started_once_found_by_others_and_answers(home: Path) -> None:
    first, second = make(home), make(home)
    assert first.find() is None
    found: list[EngineInfo] = []
    both = [threading.Thread(target=lambda each=each: found.append(each.ensure())) for each in (first, second)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1] == first.ensure() == make(home).find()
    assert found[0].version == __version__
    process = psutil.Process(found[0].pid)
    assert process.cwd() == str(Path(engine_process.__file__).resolve().parents[1])
    assert process.environ()["WAN_HOME"] == str(home)
    if os.name != "nt":
        assert os.getsid(found[0].pid) != os.getsid(0)
        assert (home / INFO_FILE).stat().st_mode & 0o077 == 0
    client = EngineClient(first)
    assert client.plan({"settings": FILM})["plan"]
    with pytest.raises(ClientError) as caught:
        client.plan({"settings": {"promts": {}}})
    assert (caught.value.status, caught.value.problems[0]["field"]) == (422, "promts")
    assert "prompts" in caught.value.remedy + caught.value.problems[0]["remedy"]
    first.stop()
    until(lambda: gone(found[0].pid))
    assert second.find() is None
    second.stop()
    assert make(home).find() is None


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_after_kill_9_it_is_started_again(home: Path) -> None:
    engine = make(home)
    killed = engine.ensure()
    os.kill(killed.pid, signal.SIGKILL)
    # It is our child: without the reaper it would stay as a zombie.
    until(lambda: not psutil.pid_exists(killed.pid))
    assert read_info(home) == killed
    assert engine.find() is None
    fresh = engine.ensure()
    assert fresh.token != killed.token
    assert make(home).find() == fresh


@pytest.mark.slow
def test_another_version_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make(home)
    old = engine.ensure()
    monkeypatch.setattr(engine_process, "__version__", "99.0")
    fresh = engine.ensure()
    assert fresh.pid != old.pid
    until(lambda: gone(old.pid))


@pytest.mark.slow
def test_it_lives_on_when_its_starter_dies(home: Path) -> None:
    paths = [str(Path(__file__).parents[1]), str(Path(engine_process.__file__).parents[1])]
    code = f"""
import os, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from webui.test_engine_process import make
print(make(Path({str(home)!r})).ensure().pid, flush=True)
os._exit(0)
"""
    pid = int(subprocess.check_output([sys.executable, "-c", code], text=True))
    found = make(home).find()
    assert found is not None
    assert found.pid == pid


@pytest.mark.slow
def test_the_routes_and_the_client_with_the_real_engine(home: Path, tmp_path: Path) -> None:
    engine, picture = make(home), tmp_path / "a film's start.png"
    host = OpenHost(home)
    app = FastAPI()
    routes.install(app, Services(host, ThisEnvironment(home / "venv"), engine, EngineClient(engine)))
    picture.write_bytes(png())
    client = EngineClient(engine)
    with served(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}/wan/v1/", timeout=60) as browser:
        assert browser.get("jobs").status_code == 503
        # What makes something starts the engine.
        assert browser.post("plans", json={"settings": FILM}).status_code == 200
        assert browser.get("engine").json()["running"] is True
        assert client.upload(picture)["kind"] == "picture"
        data = {"content": picture.read_bytes(), "headers": {"Content-Type": "application/octet-stream"}}
        sent = browser.post("uploads?name=b.png", **data).json()
        served_back = browser.get("files", params={"path": sent["path"]}, headers={"Range": "bytes=1-3"})
        assert (served_back.status_code, served_back.content) == (206, b"PNG")
        client.save_preset("a preset", {"max_frames": 9})
        assert "a preset" in browser.get("presets").json()["presets"]
        assert browser.get("presets/a%20preset").json()["max_frames"] == 9
        assert browser.request("DELETE", "presets/a%20preset", headers={"X-Wan": "tab"}).status_code == 204
        text = client.export_project(FILM)["text"]
        assert client.import_project(text, "film.yaml")["settings"]["max_frames"] == 8
        assert any(model["embedded"] for model in client.models())
        job = client.render({"settings": FILM}, "a test")["jobs"][0]
        assert browser.post(f"jobs/{job['id']}/cancel", json={}).status_code == 200
        until(lambda: browser.get(f"jobs/{job['id']}").json()["state"] in ("cancelled", "done"), 120)
        assert [each["id"] for each in browser.get("jobs").json()["jobs"]] == [job["id"]]
        watch = VramWatch(host, beat=0.05, gone=0.2)
        begun = watch._heard
        until(lambda: watch._heard > begun)
        watch.stop()
        info = engine.find()
        assert info is not None
        everything = browser.get("engine").text + browser.get("engine/log").text + browser.get("system").text
        assert info.token not in everything
        assert browser.post("engine/stop", headers={"X-Wan": "1"}).json()["running"] is False


def png() -> bytes:
    """A small picture."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "PNG")
    return file.getvalue()


def test_without_its_environment_it_says_what_to_do(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path, Installation(tmp_path / "venv"), tmp_path)
    with pytest.raises(EngineUnavailable) as caught:
        engine.ensure()
    assert "not installed" in caught.value.message
    with pytest.raises(ClientError) as told:
        EngineClient(engine).plan({"settings": FILM})
    assert told.value.status == 503
    assert told.value.remedy == caught.value.remedy


def test_an_engine_that_ends_at_once_shows_its_last_words(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "engine.lock").mkdir()
    with pytest.raises(EngineUnavailable) as caught:
        make(home, Patience(start=120)).ensure()
    assert "ended at its start" in caught.value.message
    assert "engine.lock" in caught.value.message
    assert str(home / "logs") in caught.value.remedy


def test_who_listens_there_now_is_not_taken_for_the_engine(tmp_path: Path) -> None:
    with served(FastAPI()) as port:
        leave_info(tmp_path, port)
        assert make(tmp_path).find() is None
    leave_info(tmp_path, free_port())
    assert make(tmp_path).find() is None
