"""The route by which pictures, films and sound come in: the file itself as the body."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request

from wan_engine.service.api.context import UseContext
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import UploadOut
from wan_engine.service.uploads import Upload

router = APIRouter(tags=["files"])

_BLOCK = 2**20
"""Bytes that are gathered before they are written: each write goes to another thread."""

_BODY = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.post(
    "/uploads", status_code=201, responses={201: {"model": UploadOut}, 507: {}}, openapi_extra={"requestBody": _BODY}
)
async def upload(
    request: Request,
    context: UseContext,
    name: Annotated[str, Query(max_length=255, description="The file's own name.", examples=["a.png"])] = "",
) -> PlainJSON:
    """Keep a picture, film or sound file for settings to name. What it is is told by its content, not by its name."""
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdigit() else 0
    taken = await run_sync(Upload, context.config, name or "the file", size)
    try:
        block = bytearray()
        async for piece in request.stream():
            block += piece
            if len(block) >= _BLOCK:
                await run_sync(taken.write, bytes(block))
                block.clear()
        await run_sync(taken.write, bytes(block))
        async with context.prober:
            return PlainJSON(await run_sync(taken.keep), 201)
    finally:
        taken.discard()
