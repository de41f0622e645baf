"""The state folder's place and the reading of a running engine's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from wan_engine.home import INFO_FILE, EngineInfo, read_info, state_home

GOOD = {"port": 7861, "token": "secret-of-this-start", "pid": 12, "version": "0.1.0"}


def test_wan_home_wins(tmp_path: Path) -> None:
    assert state_home({"WAN_HOME": str(tmp_path)}) == tmp_path
    assert state_home({"WAN_HOME": "~/wan"}) == Path.home() / "wan"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the place on Linux")
def test_users_data_folder(tmp_path: Path) -> None:
    assert state_home({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "wan-engine"
    assert state_home({}) == Path.home() / ".local" / "share" / "wan-engine"


def test_info_is_read(tmp_path: Path) -> None:
    (tmp_path / INFO_FILE).write_text(json.dumps(GOOD), encoding="utf-8")
    info = read_info(tmp_path)
    assert info == EngineInfo(7861, "secret-of-this-start", 12, "0.1.0")
    assert info.address == "http://127.0.0.1:7861"
    assert "secret" not in repr(info)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"port": "x"}', json.dumps({**GOOD, "port": None})])
def test_a_damaged_file_is_no_engine(tmp_path: Path, text: str) -> None:
    (tmp_path / INFO_FILE).write_text(text, encoding="utf-8")
    assert read_info(tmp_path) is None


def test_no_file_is_no_engine(tmp_path: Path) -> None:
    assert read_info(tmp_path / "nowhere") is None
