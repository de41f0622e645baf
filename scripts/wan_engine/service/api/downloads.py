"""Routes of the downloads: the table with what is here, begin one, follow it, stop it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path

from wan_engine.errors import InputError, Problem
from wan_engine.models.downloads.fetch import OfflineError
from wan_engine.models.downloads.hub import Hub
from wan_engine.models.downloads.presence import Places, presence
from wan_engine.models.downloads.table import TABLE, Entry, find_entry
from wan_engine.service.api.context import Context, UseContext
from wan_engine.service.api.forms import DownloadInput
from wan_engine.service.api.problems import PlainJSON, RequestError, not_found
from wan_engine.service.api.schemas import DownloadOut
from wan_engine.service.downloads import DownloadState, OtherDownload

router = APIRouter(tags=["models"])

DownloadName = Annotated[
    str, Path(pattern=r"^[a-z0-9._-]{1,64}$", description="A name of the table.", examples=["wan2.1-vae"])
]
_TOLD = ("name", "what", "repository", "licence", "size", "parts", "needs", "gated")


@router.get("/downloads", responses={200: {"model": list[DownloadOut]}, 507: {}})
def list_downloads(context: UseContext) -> PlainJSON:
    """Everything that can be downloaded, with what is here already and how a running download stands."""
    return PlainJSON([_told(context, entry) for entry in TABLE.values()])


@router.get("/downloads/{name}", responses={200: {"model": DownloadOut}, 404: {}, 507: {}})
def show_download(name: DownloadName, context: UseContext) -> PlainJSON:
    """One entry of the table, and how its download stands."""
    return PlainJSON(_told(context, _entry(name)))


@router.post("/downloads", status_code=202, responses={202: {"model": DownloadOut}, 404: {}, 409: {}, 507: {}})
def start_download(wanted: DownloadInput, context: UseContext) -> PlainJSON:
    """Begin a download, or go on with it. One runs at a time. Its licence must be accepted."""
    entry = _entry(wanted.name)
    if not wanted.accept_licence:
        remedy = f"Read it at {Hub().page(entry)}, then send accept_licence: true"
        raise InputError(Problem(f"the licence {entry.licence} must be accepted", remedy, "accept_licence"))
    try:
        context.downloads.start(entry, _root(context), context.life)
    except OtherDownload as error:
        raise RequestError(409, error.message, error.remedy) from error
    return PlainJSON(_told(context, entry), 202)


@router.delete("/downloads/{name}", status_code=202, responses={202: {"model": DownloadOut}, 404: {}, 409: {}, 507: {}})
def cancel_download(name: DownloadName, context: UseContext) -> PlainJSON:
    """Stop a running download within a moment. What came is kept, and the next download of it goes on from there."""
    entry = _entry(name)
    if not context.downloads.cancel(name):
        raise RequestError(409, f"{name} is not being downloaded", "GET /wan/v1/downloads shows what is")
    return PlainJSON(_told(context, entry), 202)


def _entry(name: str) -> Entry:
    try:
        return find_entry(name)
    except InputError as error:
        raise not_found(f'download "{name[:100]}"', error.problems[0].remedy) from error


def _root(context: Context) -> FilePath:
    """The folder of models that downloads go to: the one that is looked in first."""
    return context.config.model_roots[0] if context.config.model_roots else context.config.home / "models"


def _told(context: Context, entry: Entry) -> dict[str, Any]:
    places, asked = Places(_root(context), entry), context.downloads.state(entry.name)
    state: str = presence(places)
    if asked and (asked.state == "running" or (state != "there" and asked.state != "done")):
        state = asked.state
    values = {name: getattr(entry, name) for name in _TOLD}
    progress = asdict(asked.progress) if asked and state in ("running", "failed", "cancelled") else None
    return {
        **values,
        "page": Hub().page(entry),
        "folder": str(places.folder),
        "state": state,
        "progress": progress,
        "error": _error(asked) if state == "failed" else None,
    }


def _error(asked: DownloadState | None) -> dict[str, Any] | None:
    if asked is None or asked.error is None:
        return None
    files = asked.error.files if isinstance(asked.error, OfflineError) else ()
    return {
        "message": asked.error.message,
        "remedy": asked.error.remedy,
        "files": [asdict(file) for file in files],
    }
