"""Routes that serve files: of a job's film, a clip of it to be looked at, and any file in the allowed folders."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query
from fastapi import Path as PathParameter
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from wan_engine.home import API_ROOT
from wan_engine.media.clip_preview import write_clip_preview
from wan_engine.render.clip_store import finished_clip
from wan_engine.service.allowed import Roots, inside_roots
from wan_engine.service.api.context import Context, JobId, UseContext
from wan_engine.service.api.problems import PlainJSON, RequestError, not_found, problem_response
from wan_engine.service.api.schemas import FileOut
from wan_engine.storage.places import FilmPlaces

router = APIRouter(tags=["files"])

MOST_FRAMES = 1000
"""Numbered pictures of a film that are listed; each one is served."""

_TYPES = {
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
    ".tiff": "image/tiff",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".srt": "text/plain",
    ".txt": "text/plain",
    ".json": "application/json",
}
"""By the name's ending. What is not here is sent as bytes to be saved, never as something a browser would run."""

_KINDS = {
    ".mp4": "film",
    "_partial.mp4": "partial",
    ".gif": "gif",
    ".srt": "subtitles",
    "_sheet.png": "sheet",
    "_plan.json": "plan",
    "_settings.json": "settings",
    "_preview.png": "preview",
    "_before.png": "before",
    "_canvas.png": "canvas",
    "_mask.png": "mask",
    "_after.png": "after",
}
"""What a film's folder holds, by what follows the time in its name (`storage.places`), in the order of the list."""

_FRAME = re.compile(r"_[0-9]{9}\.png")
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            **dict.fromkeys(("application/octet-stream", *sorted(set(_TYPES.values()))), _BINARY),
            "application/json": {"schema": {}},
        }
    },
    206: {"description": "The asked part."},
    404: {},
    416: {"description": "There is no such part."},
}

FileName = Annotated[str, PathParameter(pattern=r"^[A-Za-z0-9_.-]{1,255}$", examples=["20260102030405.mp4"])]


class ServedFile(FileResponse):
    """A file, whole or the asked part of it. Raises RequestError 404 when it is not there or no ordinary file."""

    def __init__(self, path: Path) -> None:
        try:
            found = path.stat()
        except (OSError, ValueError):
            found = None
        if found is None or not stat.S_ISREG(found.st_mode):
            raise not_found(f"file {path.name[:100]}", "Correct the name")
        kind = _TYPES.get(path.suffix.lower())
        headers = {"Cache-Control": "no-cache"}  # it may be kept, but is asked for again: its ETag says if it changed
        if kind is None:
            headers["Content-Disposition"] = "attachment"
        super().__init__(path, headers=headers, media_type=kind or "application/octet-stream", stat_result=found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; what cannot be sent is told as every other error."""
        refused = False

        async def send_or_tell(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused = True
                await problem_response(_refusal(message))(scope, receive, send)
            elif not refused:
                await send(message)

        await super().__call__(scope, receive, send_or_tell)


def _refusal(start: Message) -> RequestError:
    headers = {name.decode(): value.decode() for name, value in start["headers"] if name == b"content-range"}
    return RequestError(start["status"], "the file has no such part", "Correct the header Range", headers)


@router.get("/jobs/{job_id}/files", responses={200: {"model": list[FileOut]}, 404: {}})
def list_files(job_id: JobId, context: UseContext) -> PlainJSON:
    """What the job's film consists of by now. Of its numbered pictures the first thousand are listed."""
    folder = context.job(job_id).folder
    return PlainJSON(_listed(Path(folder), job_id) if folder else [])


def _listed(folder: Path, job_id: str) -> list[dict[str, Any]]:
    start = FilmPlaces(folder).timestring
    if not folder.is_dir():
        return []
    sizes = {entry.name: entry.stat().st_size for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)}
    named = [(f"{start}{ending}", kind) for ending, kind in _KINDS.items()]
    frames = sorted(name for name in sizes if name.startswith(start) and _FRAME.fullmatch(name[len(start) :]))
    named += [(name, "frame") for name in frames[:MOST_FRAMES]]
    return [
        {"name": name, "kind": kind, "size": sizes[name], "url": f"{API_ROOT}/jobs/{job_id}/files/{name}"}
        for name, kind in named
        if name in sizes
    ]


@router.get("/jobs/{job_id}/files/{name}", responses=_ANSWERS, response_class=Response)
@router.head("/jobs/{job_id}/files/{name}", responses=_ANSWERS, response_class=Response)
def job_file(job_id: JobId, name: FileName, context: UseContext) -> Response:
    """A file of the job's film. Parts of it can be asked for (Range)."""
    folder = context.job(job_id).folder
    if not folder:
        raise not_found(f"file {name}", "The job has not begun")
    return ServedFile(inside_roots(f"{folder}/{name}", Roots((Path(folder),)), "name"))


@router.get("/jobs/{job_id}/clips/{number}", responses=_ANSWERS, response_class=Response)
@router.head("/jobs/{job_id}/clips/{number}", responses=_ANSWERS, response_class=Response)
async def job_clip(
    job_id: JobId, number: Annotated[int, PathParameter(ge=0, le=999_999, examples=[0])], context: UseContext
) -> Response:
    """A finished clip of a job (from 0) as a small mp4, made when it is first asked for.

    Clips are deleted when the film is finished, unless the setting `keep_clips` is on.
    """
    return ServedFile(await _clip_preview(context, job_id, number))


async def _clip_preview(context: Context, job_id: str, number: int) -> Path:
    folder = context.job(job_id).folder
    clip = finished_clip(FilmPlaces(Path(folder)).clips, number) if folder else None
    if clip is None:
        raise not_found(f"finished clip {number}", "It is not rendered yet, or was deleted with the film's end")
    target = context.config.previews / f"{job_id}_clip_{number:04d}.mp4"
    async with context.encoder:
        if not target.exists() or target.stat().st_mtime < clip.stat().st_mtime:
            await anyio.to_thread.run_sync(write_clip_preview, clip, target)
    return target


@router.get("/files", responses=_ANSWERS, response_class=Response)
@router.head("/files", responses=_ANSWERS, response_class=Response)
def any_file(
    path: Annotated[str, Query(min_length=1, max_length=4096, description="A whole path.")], context: UseContext
) -> Response:
    """A file in one of the engine's folders (`roots` of `GET /system`). Parts of it can be asked for (Range)."""
    return ServedFile(inside_roots(path, context.config.roots()))
