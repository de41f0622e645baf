"""Log files: what a call of the command line makes, event by event, and what the engine says meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from wan_engine.cli.screen import LOG_HANDLER, Screen
from wan_engine.errors import WanError
from wan_engine.home import state_home
from wan_engine.render.events import Event, Report

log = logging.getLogger(__name__)

COMMANDS_LOG = "commands.log"
"""File in the state folder's `logs` for all calls that make something."""
_LOG_BYTES, _LOG_FILES = 2_000_000, 2


def start_log_file(path: Path, screen: Screen) -> logging.Handler:
    """What the engine says goes into a file that does not grow without end; stderr gets warnings, or all of it.

    Raises OSError.
    """
    handler = RotatingFileHandler(
        path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8", errors="backslashreplace"
    )
    for shown in [each for each in logging.getLogger().handlers if each.name == LOG_HANDLER]:
        shown.setLevel(logging.DEBUG if screen.verbose else logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    engine = logging.getLogger("wan_engine")
    engine.setLevel(min(engine.level, logging.INFO))
    return handler


@contextmanager
def logged(screen: Screen, report: Report) -> Iterator[Report]:
    """The report, which also writes every event into the log file, steps left out, and the error that ends the work.

    Where the file cannot be written that is said, and the work goes on.
    """
    path, handler = state_home() / "logs" / COMMANDS_LOG, None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = start_log_file(path, screen)
    except OSError as error:
        log.warning("No log file is written: %s", error)

    def told(event: Event) -> None:
        if event.kind != "step":
            log.info("%s", event.words)
        report(event)

    try:
        yield told
    except WanError as error:
        log.info("Ended: %s", error)
        raise
    except Exception:
        log.info("Ended unexpectedly", exc_info=True)  # on the screen it is told in a line
        raise
    finally:
        if handler is not None:
            logging.getLogger().removeHandler(handler)
            handler.close()
