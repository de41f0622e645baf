"""The route by which WebUIs say that they live, and are asked for their GPU memory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from wan_engine.service.api.context import UseContext
from wan_engine.service.api.forms import HostInput
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import HostOut
from wan_engine.service.hosts_board import HostApi

router = APIRouter(tags=["hosts"])


@router.post("/hosts/{host_id}", responses={200: {"model": HostOut}})
def host(
    host_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["webui-7860"])],
    said: HostInput,
    context: UseContext,
) -> PlainJSON:
    """A WebUI's sign of life, every two seconds: for which jobs its memory is freed; told is which jobs ask."""
    api = HostApi(**said.api.model_dump()) if said.api else None
    answer = context.hosts.heard(host_id, said.freed, api)
    return PlainJSON({"asked": answer.asked, "working": answer.working})
