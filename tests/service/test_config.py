"""The set-up of the service: from flags, into its file and back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wan_engine.errors import StorageError
from wan_engine.service.allowed import Roots
from wan_engine.service.config import CONFIG_FILE, ServiceConfig, Timing, config_from, read_config, write_config


def test_flags_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flags = {
        "home": tmp_path / "home",
        "outputs": Path("films"),
        "model_roots": (Path("a"), Path("b")),
        "allowed": (Path("c"),),
        "idle_minutes": 5.0,
        "keep_jobs": None,
    }
    config = config_from(flags, {"WAN_HOME": "/elsewhere"})
    assert config == ServiceConfig(
        home=tmp_path / "home",
        outputs=tmp_path / "films",
        model_roots=(tmp_path / "a", tmp_path / "b"),
        allowed=(tmp_path / "c",),
        idle_minutes=5.0,
    )
    folders = (config.uploads, config.outputs, tmp_path / "a", tmp_path / "b", tmp_path / "c")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert config.roots() == Roots(folders, private=config.home)
    (tmp_path / "hub").mkdir()
    assert tmp_path / "hub" in config.roots().folders


def test_without_flags_everything_has_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = config_from({}, {"WAN_HOME": str(tmp_path / "state")})
    assert config == ServiceConfig(tmp_path / "state", tmp_path / "outputs", (tmp_path / "state" / "models",))
    assert not config.home.exists()


def test_workers_read_what_the_server_wrote(tmp_path: Path) -> None:
    config = ServiceConfig(
        tmp_path / "home", tmp_path / "films", (tmp_path / "models",), keep_days=2.5, timing=Timing(lease=3.0)
    )
    write_config(config)
    assert read_config(config.home) == config
    assert config.log("a").parent.is_dir()
    assert config.preview("a").parent.is_dir()
    assert config.uploads.is_dir()
    if os.name == "posix":
        assert config.uploads.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"home": 3}'])
def test_a_damaged_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / CONFIG_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match=r"config\.json"):
        read_config(tmp_path)


def test_a_state_folder_without_a_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"config\.json"):
        read_config(tmp_path)


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="home"):
        write_config(ServiceConfig(tmp_path / "home", tmp_path))


def test_the_page_says_the_times_that_hold() -> None:
    page = " ".join((Path(__file__).resolve().parents[2] / "docs" / "service.md").read_text(encoding="utf-8").split())
    timing, config = Timing(), ServiceConfig(Path(), Path())
    for words in (
        f"holds its job for {timing.lease:g} seconds and renews that every {timing.renew:g} seconds",
        f"nothing to do for {timing.worker_idle:g} seconds",
        f"has not stopped {timing.cancel_patience:g} seconds later is killed",
        f"heard in the last {timing.host_fresh:g} seconds",
        f"After {timing.host_wait:g} seconds",
        f"older than {config.keep_days:g} days or beyond the latest {config.keep_jobs}",
        f"must have {config.min_free_bytes / 1e9:g} GB free",
    ):
        assert words in page
    assert timing.sweep == 3600
