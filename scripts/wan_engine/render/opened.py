"""The backend that a film is rendered with: made, put in words, and its memory given back."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from wan_engine.backends import Backend
from wan_engine.backends.registry import make_backend
from wan_engine.models.lineup import lineup
from wan_engine.plan.model import Plan
from wan_engine.render.events import Event, Report
from wan_engine.settings import Settings
from wan_engine.tiny import WEIGHTS


@contextmanager
def opened_backend(settings: Settings, report: Report, device: str = "") -> Iterator[Backend]:
    """The backend of the settings; its memory is given back at the end, however that comes.

    device: where it renders, in place of the settings' own.
    """
    here = replace(settings, device=device or settings.device)
    backend = make_backend(here, lineup(settings, WEIGHTS), lambda sentence: report(Event("note", sentence)))
    try:
        yield backend
    except BaseException as error:
        _forget_frames(error)
        raise
    finally:
        backend.close()
        report(Event("released", "Memory released"))


def _forget_frames(error: BaseException | None) -> None:
    """Let go what the functions that an error came through still hold: the networks, which would stay on the device."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def environment_words(plan: Plan) -> str:
    """What the film is rendered with, for the report."""
    known = [plan.resolved.get(name) for name in ("backend", "device", "device_name", "dtype", "attention")]
    profile = plan.resolved.get("memory_profile")
    words = [str(value) for value in known if value]
    if profile:
        words.append(f"profile {profile}: {plan.resolved.get('memory')}")
        words.append(f"compiled blocks {plan.resolved.get('compile')}")
    return "Environment ready: " + ", ".join(words)
