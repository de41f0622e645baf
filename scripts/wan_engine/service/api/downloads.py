"""Routes of the downloads: the table and its sets with what is here, begin one, follow it, stop it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path

from wan_engine.errors import InputError, Problem
from wan_engine.models.downloads.fetch import OfflineError
from wan_engine.models.downloads.hub import Hub
from wan_engine.models.downloads.presence import Places, presence
from wan_engine.models.downloads.table import SETS, TABLE, Entry, find_entries
from wan_engine.service.api.context import Context, UseContext
from wan_engine.service.api.download_schemas import DownloadOut
from wan_engine.service.api.forms import DownloadInput
from wan_engine.service.api.problems import PlainJSON, RequestError, not_found
from wan_engine.service.downloads import DownloadState, OtherDownload

router = APIRouter(tags=["models"])

DownloadName = Annotated[
    str, Path(pattern=r"^[a-z0-9._-]{1,64}$", description="A name of the table.", examples=["wan2.1-vae"])
]
_TOLD = ("name", "what", "repository", "licence", "size", "parts", "needs", "gated")


@router.get("/downloads", responses={200: {"model": list[DownloadOut]}, 507: {}})
def list_downloads(context: UseContext) -> PlainJSON:
    """Everything that can be downloaded, with what is here already and how a running download stands; sets last."""
    return PlainJSON([_told(context, name) for name in (*TABLE, *SETS)])


@router.get("/downloads/{name}", responses={200: {"model": DownloadOut}, 404: {}, 507: {}})
def show_download(name: DownloadName, context: UseContext) -> PlainJSON:
    """One entry of the table or a set of them, and how its download stands."""
    return PlainJSON(_told(context, name))


@router.post("/downloads", status_code=202, responses={202: {"model": DownloadOut}, 404: {}, 409: {}, 507: {}})
def start_download(wanted: DownloadInput, context: UseContext) -> PlainJSON:
    """Begin a download, or go on with it. One runs at a time. Its licence, or each of a set, must be accepted."""
    entries = _entries(wanted.name)
    if not wanted.accept_licence:
        remedy = f"Read it at {', '.join(Hub().page(entry) for entry in entries)}, then send accept_licence: true"
        raise InputError(Problem(f"the licence {_licences(entries)} must be accepted", remedy, "accept_licence"))
    try:
        context.downloads.start(wanted.name, entries, _root(context), context.life)
    except OtherDownload as error:
        raise RequestError(409, error.message, error.remedy) from error
    return PlainJSON(_told(context, wanted.name), 202)


@router.delete("/downloads/{name}", status_code=202, responses={202: {"model": DownloadOut}, 404: {}, 409: {}, 507: {}})
def cancel_download(name: DownloadName, context: UseContext) -> PlainJSON:
    """Stop a running download within a moment. What came is kept, and the next download of it goes on from there."""
    _entries(name)
    if not context.downloads.cancel(name):
        raise RequestError(409, f"{name} is not being downloaded", "GET /wan/v1/downloads shows what is")
    return PlainJSON(_told(context, name), 202)


def _entries(name: str) -> tuple[Entry, ...]:
    try:
        return find_entries(name)
    except InputError as error:
        raise not_found(f'download "{name[:100]}"', error.problems[0].remedy) from error


def _root(context: Context) -> FilePath:
    """The folder of models that downloads go to: the one that is looked in first."""
    return context.config.model_roots[0] if context.config.model_roots else context.config.home / "models"


def _told(context: Context, name: str) -> dict[str, Any]:
    entries, root, asked = _entries(name), _root(context), context.downloads.state(name)
    here = {presence(Places(root, entry)) for entry in entries}
    state: str = here.pop() if len(here) == 1 else "part"
    if asked and (asked.state == "running" or (state != "there" and asked.state != "done")):
        state = asked.state
    progress = asdict(asked.progress) if asked and state in ("running", "failed", "cancelled") else None
    return {
        **(_told_of_set(name, entries, root) if name in SETS else _told_of_entry(entries[0], root)),
        "state": state,
        "progress": progress,
        "error": _error(asked) if state == "failed" else None,
    }


def _told_of_entry(entry: Entry, root: FilePath) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in _TOLD}
    return {**values, "items": (), "page": Hub().page(entry), "folder": str(Places(root, entry).folder)}


def _told_of_set(name: str, entries: Sequence[Entry], root: FilePath) -> dict[str, Any]:
    return {
        "name": name,
        "what": f"{len(entries)} downloads in one",
        "repository": "",
        "licence": _licences(entries),
        "size": sum(entry.size for entry in entries),
        "parts": list(dict.fromkeys(part for entry in entries for part in entry.parts)),
        "needs": [],
        "gated": any(entry.gated for entry in entries),
        "items": [entry.name for entry in entries],
        "page": "",
        "folder": str(root),
    }


def _licences(entries: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(entry.licence for entry in entries))


def _error(asked: DownloadState | None) -> dict[str, Any] | None:
    if asked is None or asked.error is None:
        return None
    files = asked.error.files if isinstance(asked.error, OfflineError) else ()
    return {
        "message": asked.error.message,
        "remedy": asked.error.remedy,
        "files": [asdict(file) for file in files],
    }
