"""Registers the extension with the WebUI: settings, the tab, the routes, the watch over the GPU."""

from __future__ import annotations

from typing import Any

from wan_webui import routes, services, tab, vram
from wan_webui.hosts import current_host


def register() -> None:
    """Called by scripts/wan_tab.py whenever the WebUI loads its scripts, which is again at Reload UI."""
    host = current_host()
    host.allow_output_folder()
    host.add_scripts()
    host.on(ui_settings=host.add_options, ui_tabs=_tabs, app_started=_app_started, script_unloaded=vram.stop)


def _tabs() -> list[tuple[Any, str, str]]:
    return [(tab.LateTab(), "Wan", "wan")]


def _app_started(_demo: Any, app: Any) -> None:
    serving = services.current()
    routes.install(app, serving)
    vram.start(serving.host)
