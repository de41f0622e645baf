"""The routes by which a page shows the scenes that a split has found: curve and single frames."""

from __future__ import annotations

from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query
from starlette.responses import Response

from wan_engine.media.pictures import jpeg_bytes, write_png
from wan_engine.service.allowed import inside_roots
from wan_engine.service.api.context import Context, UseContext
from wan_engine.service.api.forms import SceneFrameInput
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import PicturePathOut, ScenesOut
from wan_engine.service.config import ServiceConfig
from wan_engine.storage.places import check_free_space
from wan_engine.tools.scenes.viewing import SceneView, view_scenes

router = APIRouter(tags=["scenes"])

ListPath = Annotated[
    str, Query(min_length=1, max_length=4096, description="A list of scenes, as a split's result names it.")
]
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    507: {},
}


@router.get("/scenes", responses={200: {"model": ScenesOut}, 507: {}})
def scenes(
    path: ListPath,
    context: UseContext,
    points: Annotated[int, Query(ge=1, le=20_000, description="Points of the curve at most.")] = 1200,
) -> PlainJSON:
    """A list of scenes and the curve of likelihoods that it was made from, in few points."""
    view = _view(path, context.config)
    return PlainJSON({"list": view.scenes.as_dict(), "curve": view.points(points)})


@router.get("/scenes/frame", responses=_JPEG, response_class=Response)
async def frame(
    path: ListPath,
    context: UseContext,
    number: Annotated[int, Query(ge=0, le=10**9, description="The frame, from 0.")],
    side: Annotated[int, Query(ge=16, le=4096, description="Longer side of the picture at most, in pixels.")] = 320,
) -> Response:
    """A frame of the film whose scenes are listed, as JPEG."""
    async with context.prober:
        data = await run_sync(_jpeg, path, context.config, number, side)
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})


@router.post("/scenes/frames", status_code=201, responses={201: {"model": PicturePathOut}, 507: {}})
async def keep_frame(wanted: SceneFrameInput, context: UseContext) -> PlainJSON:
    """Keep a frame of the film as a picture, for settings to name."""
    async with context.prober:
        return PlainJSON({"path": await run_sync(_kept, wanted, context)}, 201)


def _view(path: str, config: ServiceConfig) -> SceneView:
    """The list, with its film inside the allowed folders too."""
    view = view_scenes(inside_roots(path, config.roots(), "path"))
    inside_roots(view.scenes.film, config.roots(), "film")
    return view


def _jpeg(path: str, config: ServiceConfig, number: int, side: int) -> bytes:
    return jpeg_bytes(_view(path, config).frame(number), side)


def _kept(wanted: SceneFrameInput, context: Context) -> str:
    config = context.config
    check_free_space(config.uploads, config.min_free_bytes)
    view = _view(wanted.path, config)
    target = config.uploads / f"{view.scenes.film_hash[:16]}_{wanted.frame}.png"
    if not target.is_file():
        write_png(target, view.frame(wanted.frame))
    return str(target)
