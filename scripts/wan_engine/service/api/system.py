"""Routes about the engine itself: what it is, what can be set, and its end."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from wan_engine import __version__
from wan_engine.errors import WanError
from wan_engine.families import FAMILIES, MODES
from wan_engine.service.api.context import Context, UseContext
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import SettingsOut, SystemOut
from wan_engine.service.worker_board import WorkerBoard
from wan_engine.settings import GROUPS, SETTINGS
from wan_engine.storage.places import free_bytes

router = APIRouter(tags=["system"])


@router.get("/system", responses={200: {"model": SystemOut}})
def system(context: UseContext) -> PlainJSON:
    """The engine that answers: version, folders, devices, workers, jobs. `devices` is empty until they are known."""
    config = context.config
    return PlainJSON(
        {
            "version": __version__,
            "pid": os.getpid(),
            "started": context.started,
            "home": str(config.home),
            "outputs": str(config.outputs),
            "roots": [str(root) for root in config.roots().folders],
            "idle_minutes": config.idle_minutes,
            "max_upload_bytes": config.max_upload_bytes,
            "free_bytes": free_bytes(config.outputs),
            "jobs": context.store.counts(),
            **_devices(context),
            "workers": [{"device": each.device, "pid": each.pid} for each in _board(context).all()],
        }
    )


def _board(context: Context) -> WorkerBoard:
    return WorkerBoard(context.store.database, context.config.timing.lease, context.store.clock)


def _devices(context: Context) -> dict[str, Any]:
    try:
        return {"devices": [asdict(device) for device in context.devices.known()], "devices_error": ""}
    except WanError as error:
        return {"devices": [], "devices_error": str(error)}


@router.get("/settings", responses={200: {"model": SettingsOut}})
def settings() -> PlainJSON:
    """Every setting with its kind, range, default and help, and what each model family takes for an empty one."""
    families = [
        {**asdict(family), "modes": [mode for mode in MODES if mode in family.modes]} for family in FAMILIES.values()
    ]
    table = [asdict(spec) for spec in SETTINGS.values()]
    return PlainJSON({"settings": table, "groups": GROUPS, "families": families})


@router.post("/system/stop", status_code=202, responses={202: {"description": "The engine ends soon."}})
async def stop(context: UseContext) -> PlainJSON:
    """End the engine in order: workers give their jobs back within a step, and the queue stays for the next start."""
    context.life.stop()
    return PlainJSON({"stopping": True}, 202)
