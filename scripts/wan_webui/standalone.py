"""The page of its own, without a WebUI: `python -m wan_webui.standalone [--port 7870] [--listen] [--no-browser]`.

It runs in the engine's environment with the current gradio and shows the same tab as the WebUIs. The engine is a
process of its own, as there: films go on when the page is closed.
"""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI

from wan_engine.errors import WanError
from wan_webui import routes, services, tab
from wan_webui.hosts import PROJECT, Alone
from wan_webui.services import Services

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
PORT = 7870
_PORTS_TRIED = 20
_LAST_PORT = 65535

_LOOK = """<meta name="viewport" content="width=device-width, initial-scale=1">"""


@dataclass(frozen=True)
class Place:
    """Where the page is served. port: the first to try.  root_path: what a proxy puts before its address."""

    host: str = LOOPBACK
    port: int = PORT
    root_path: str = ""


def make_app(serving: Services, root_path: str = "") -> FastAPI:
    """The routes and the tab in one application."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    routes.install(app, serving)
    served: FastAPI = gr.mount_gradio_app(
        app,
        tab.build(),
        path="/",
        root_path=root_path or None,
        theme=gr.themes.Default(),
        css=(PROJECT / "style.css").read_text(encoding="utf-8"),
        head=_LOOK + "".join(f"<script>{path.read_text(encoding='utf-8')}</script>" for path in page_scripts()),
        footer_links=[],
    )
    return served


def page_scripts() -> list[Path]:
    """The tab's scripts, in the order in which the WebUIs load them too."""
    return sorted((PROJECT / "javascript").glob("*.js"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl+C."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    place = Place("0.0.0.0" if given.listen else LOOPBACK, given.port, given.root_path)  # noqa: S104  asked for
    serving = services.use(Alone(given.outputs.expanduser().absolute(), public=given.listen))
    server = _Server(make_app(serving, place.root_path), place)
    threading.Thread(target=_start_engine, args=(serving,), daemon=True).start()
    return server.run(open_browser=not given.no_browser)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m wan_webui.standalone", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=_port, default=PORT, help="port of the page (the next free one is taken)")
    parser.add_argument("--listen", action="store_true", help="let other machines reach the page")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="folder of the films")
    parser.add_argument("--root-path", default="", help="path that a proxy puts before the page's address")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{port} lies outside 0 to {_LAST_PORT}")
    return port


def _start_engine(serving: Services) -> None:
    try:
        serving.engine.ensure()
    except WanError as error:
        # The page says it too, and offers what helps.
        log.warning("the engine does not run: %s", error)


class _Server:
    """uvicorn with its socket bound first, so that the address is known before the browser is opened."""

    def __init__(self, app: FastAPI, place: Place) -> None:
        self._app = app
        self._place = place

    def run(self, open_browser: bool) -> int:
        """Serve until stopped; 1 if there is no port for it, else 0."""
        try:
            bound = _bind(self._place)
        except OSError as error:
            sys.stderr.write(f"No port from {self._place.port} on can be had: {error}. Name another with --port\n")
            return 1
        address = f"http://{LOOPBACK}:{bound.getsockname()[1]}/"
        sys.stdout.write(f"Wan is at {address}\n")
        sys.stdout.flush()
        if open_browser:
            threading.Timer(1.0, webbrowser.open, [address]).start()
        config = uvicorn.Config(self._app, log_level="warning", timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[bound])
        return 0


def _bind(place: Place) -> socket.socket:
    """A listening socket at the first free port from the wanted one on. Raises OSError if none is free."""
    last = min(place.port + _PORTS_TRIED - 1, _LAST_PORT)
    for port in range(place.port, last + 1):
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((place.host, port))
            # Who comes before the server accepts waits for it.
            bound.listen(128)
        except OSError:
            bound.close()
            if port == last:
                raise
        else:
            return bound
    raise OSError("no port was tried")


if __name__ == "__main__":
    sys.exit(main())
