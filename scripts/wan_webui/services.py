"""Holds what the tab, the routes and the VRAM watch share: one set a process, which outlives Reload UI."""

from __future__ import annotations

from dataclasses import dataclass

from wan_webui.client import EngineClient
from wan_webui.engine_process import EngineProcess
from wan_webui.hosts import Host, current_host
from wan_webui.installation import Installation


@dataclass(frozen=True)
class Services:
    """The host, the engine's environment, its process and the way to talk to it."""

    host: Host
    installation: Installation
    engine: EngineProcess
    client: EngineClient


_current: Services | None = None


def build(host: Host) -> Services:
    """What serves this host."""
    installation = Installation(host.environment)
    engine = EngineProcess(host.home, installation, host.outputs, host.model_roots)
    return Services(host, installation, engine, EngineClient(engine))


def use(host: Host) -> Services:
    """Serve this host from now on. The page of its own calls it first; a WebUI is found by `current`."""
    global _current
    _current = build(host)
    return _current


def current() -> Services:
    """What this process serves. Raises ImportError if it is no WebUI and `use` was not called."""
    return _current or use(current_host())
