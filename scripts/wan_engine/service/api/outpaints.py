"""The routes by which films are outpainted, and looked at before."""

from __future__ import annotations

import base64
from typing import Any

from fastapi import APIRouter

from wan_engine.home import API_ROOT
from wan_engine.media.pictures import jpeg_bytes
from wan_engine.service.api.context import UseContext
from wan_engine.service.api.forms import OutpaintInput, OutpaintLookInput
from wan_engine.service.api.jobs import summary
from wan_engine.service.api.problems import PlainJSON, RequestError
from wan_engine.service.api.schemas import JobSummary, OutpaintLookOut
from wan_engine.service.orders import Wish
from wan_engine.service.outpaint_orders import OutpaintWish, outpaint_job, outpaint_look
from wan_engine.tools.outpaint.checking import Checked

router = APIRouter(tags=["outpaint"])

LOOK_SIDE = 960
"""Longer side of the pictures of a look at most, in pixels."""


@router.post("/outpaints", status_code=202, responses={202: {"model": JobSummary}, 503: {}, 507: {}})
def outpaint(wanted: OutpaintInput, context: UseContext) -> PlainJSON:
    """Queue an outpaint; with `preview` a job that makes one frame of it alone.

    The job's `result` names what was made; of a preview the pictures `before`, `canvas`, `mask` and `after`.
    """
    if context.life.stopping:
        raise RequestError(503, "the engine is about to end", "Start it again: what is queued goes on then")
    asked = OutpaintWish(wanted.film, wanted.settings, wanted.cuts, wanted.preview, wanted.frame)
    job = context.store.add(outpaint_job(asked, Wish(wanted.title, wanted.priority), context.config))
    return PlainJSON(summary(job), 202, {"Location": f"{API_ROOT}/jobs/{job.id}"})


@router.post("/outpaints/look", responses={200: {"model": OutpaintLookOut}, 507: {}})
def look(wanted: OutpaintLookInput, context: UseContext) -> PlainJSON:
    """What would be made of a film, at once and without a model: sizes, notes, and one frame's canvas and mask."""
    asked = OutpaintWish(wanted.film, wanted.settings, frame=wanted.frame)
    checked, pictures = outpaint_look(asked, context.config)
    images = {name: _address(jpeg_bytes(picture, LOOK_SIDE)) for name, picture in pictures.items()}
    return PlainJSON({**_facts(checked), "pictures": images})


def _facts(checked: Checked) -> dict[str, Any]:
    layout, plan = checked.layout, checked.expected
    box = layout.kept
    return {
        "width": layout.width,
        "height": layout.height,
        "kept": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
        "work_width": layout.work_width,
        "work_height": layout.work_height,
        "feather": layout.feather,
        "frames": plan.frames,
        "fps": float(plan.fps),
        "chunks": len(plan.clips),
        "chunk_frames": plan.clips[0].frames,
        "steps": plan.total_steps,
        "model": checked.planner.models.card("vace").name,
        "notes": [*plan.notes, *checked.notes],
    }


def _address(data: bytes) -> str:
    """A picture as an address that a page shows."""
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"
