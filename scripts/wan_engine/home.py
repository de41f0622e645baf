"""Knows where the engine keeps its state, and reads the file by which others find a running engine.

Standard library only: a WebUI, which has none of the engine's packages, finds the engine with it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

INFO_FILE = "engine.json"
"""File in the state folder, readable by the owner only, that a running engine holds."""

TOKEN_HEADER = "X-Wan-Token"  # noqa: S105  the header's name
"""Header that carries the token of an engine's start; it is never put into an address."""

RESTRICTED_HEADER = "X-Wan-Restricted"
"""Header by which a WebUI says why the visitor whose request it forwards may spend no money; no visitor can set it."""

API_ROOT = "/wan/v1"
"""Where all routes begin, at the engine and at a WebUI alike."""


@dataclass(frozen=True)
class EngineInfo:
    """How a running engine is reached: on loopback at `port`, with `token` in the header `TOKEN_HEADER`."""

    port: int
    token: str = field(repr=False)
    pid: int
    version: str

    @property
    def address(self) -> str:
        """Its web address, without a path."""
        return f"http://127.0.0.1:{self.port}"


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of database, token file, logs and caches: `WAN_HOME`, else the user's data folder. Not made here."""
    chosen = environ.get("WAN_HOME", "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "wan-engine"


def read_info(home: Path) -> EngineInfo | None:
    """What the engine of this state folder says of itself; None if there is no file or it is damaged.

    A file alone does not prove that the engine runs: a killed one leaves it behind. Ask its address.
    """
    try:
        values = json.loads((home / INFO_FILE).read_text(encoding="utf-8"))
        return EngineInfo(int(values["port"]), str(values["token"]), int(values["pid"]), str(values["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
