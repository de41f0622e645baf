"""The verb `serve`: runs the engine that renders films for the tab, the command line and other clients."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wan_engine.cli.flags import verb
from wan_engine.cli.log_file import start_log_file
from wan_engine.cli.screen import Screen
from wan_engine.cli.stop import StopSignals

if TYPE_CHECKING:
    from wan_engine.home import EngineInfo

LOG_FILE = "engine.log"
_STOPPING = b"The engine ends: films are given back to the queue within a step.\n"

HomeOption = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="State folder; else WAN_HOME or the user's data folder.")
]


@verb()
def serve(
    screen: Screen,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on this machine; 0 takes a free one.")] = 0,
    home: HomeOption = None,
    outputs: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where films go.")] = None,
    models: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Folder of models; may be given several times.")
    ] = None,
    allow: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Further folder that inputs may come from; may be given several times."),
    ] = None,
    idle_minutes: Annotated[
        float | None, typer.Option(min=0, help="End after so long without clients and jobs; 0 never (30).")
    ] = None,
) -> None:
    """Run the engine: it takes jobs over HTTP on this machine and renders them, one after the other on each device."""
    from wan_engine.service.config import config_from
    from wan_engine.service.life import AlreadyRunning
    from wan_engine.service.server import Callbacks, run_engine

    flags = {"home": home, "outputs": outputs, "model_roots": models, "allowed": allow, "idle_minutes": idle_minutes}
    config = config_from({name: value for name, value in flags.items() if value != []})
    config.make_folders()
    # What is kept beside the jobs, such as caches of prompts and models, shall lie there too, also for the workers.
    os.environ["WAN_HOME"] = str(config.home)
    start_log_file(config.logs / LOG_FILE, screen)
    with StopSignals(_say_stopping) as stop:
        try:
            run_engine(config, port, Callbacks(lambda info: _tell(screen, info, config.home, True), stop.wanted))
        except AlreadyRunning as running:
            _tell(screen, running.info, config.home, False)


def _say_stopping() -> None:
    os.write(2, _STOPPING)


def _tell(screen: Screen, info: EngineInfo, home: Path, started: bool) -> None:
    """How the engine is reached; its token stays in the file that only the owner can read."""
    values: dict[str, Any] = {"port": info.port, "pid": info.pid, "version": info.version, "home": str(home)}
    if screen.json:
        screen.document({"started": started, "address": info.address, **values})
        return
    state = "The engine answers" if started else "An engine answers already"
    screen.line(screen.out, f"{state} at {info.address} (process {info.pid}, state folder {home})")
