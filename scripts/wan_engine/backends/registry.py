"""The backends by name. A new backend is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from wan_engine.backends import Backend
from wan_engine.families import Lineup
from wan_engine.home import state_home
from wan_engine.settings import Settings

Say = Callable[[str], None]
"""Tells the user a sentence."""


def _wan(settings: Settings, lineup: Lineup, say: Say) -> Backend:
    from wan_engine.backends.wan import Options, WanBackend

    options = {field.name: getattr(settings, field.name) for field in fields(Options) if field.name != "prompts"}
    return WanBackend(lineup, Options(**options, prompts=state_home() / "prompts"), say)


def _dry_run(settings: Settings, lineup: Lineup, say: Say) -> Backend:
    from wan_engine.backends.dry_run import DryRunBackend

    return DryRunBackend()


BACKENDS: dict[str, Callable[[Settings, Lineup, Say], Backend]] = {"wan": _wan, "dry_run": _dry_run}


def make_backend(settings: Settings, lineup: Lineup, say: Say = lambda sentence: None) -> Backend:
    """The backend of the settings, ready for the line-up's models; nothing is loaded yet."""
    return BACKENDS[settings.backend](settings, lineup, say)
