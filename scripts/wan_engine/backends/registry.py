"""The backends by name. A new backend is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from wan_engine.backends import Backend
from wan_engine.families import Lineup
from wan_engine.settings import Settings


def _wan(settings: Settings, lineup: Lineup) -> Backend:
    from wan_engine.backends.wan import WanBackend

    return WanBackend(lineup, settings.device, settings.dtype)


def _dry_run(settings: Settings, lineup: Lineup) -> Backend:
    from wan_engine.backends.dry_run import DryRunBackend

    return DryRunBackend()


BACKENDS: dict[str, Callable[[Settings, Lineup], Backend]] = {"wan": _wan, "dry_run": _dry_run}


def make_backend(settings: Settings, lineup: Lineup) -> Backend:
    """The backend of the settings, ready for the line-up's models; nothing is loaded yet."""
    return BACKENDS[settings.backend](settings, lineup)
