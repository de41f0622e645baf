"""Routes of the presets: settings kept under a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from wan_engine.service.api.context import Context, UseContext
from wan_engine.service.api.forms import SettingsObject
from wan_engine.service.api.problems import PlainJSON, not_found
from wan_engine.service.api.schemas import PresetsOut
from wan_engine.service.presets import NAME_PATTERN, Presets

router = APIRouter(tags=["presets"])

PresetName = Annotated[str, Path(pattern=NAME_PATTERN, description="Letters, digits, blanks, _ . -", examples=["slow"])]
_EXAMPLE = {"steps": "30", "crf": 14, "preset": "veryslow"}


def _presets(context: Context) -> Presets:
    return Presets(context.config.home / "presets")


@router.get("/presets", responses={200: {"model": PresetsOut}})
def list_presets(context: UseContext) -> PlainJSON:
    """The names of the presets."""
    return PlainJSON({"presets": _presets(context).names()})


@router.get("/presets/{name}", responses={200: {"model": dict, "description": "Settings by name."}, 404: {}})
def show_preset(name: PresetName, context: UseContext) -> PlainJSON:
    """A preset's settings."""
    values = _presets(context).get(name)
    if values is None:
        raise not_found(f'preset "{name}"', "GET /wan/v1/presets lists what is there")
    return PlainJSON(values)


@router.put("/presets/{name}", status_code=204)
def put_preset(
    name: PresetName, context: UseContext, settings: Annotated[SettingsObject, Body(examples=[_EXAMPLE])]
) -> Response:
    """Keep settings under a name, in place of what was there. They are checked; those not given stay open."""
    _presets(context).put(name, settings)
    return Response(status_code=204)


@router.delete("/presets/{name}", status_code=204, responses={404: {}})
def delete_preset(name: PresetName, context: UseContext) -> Response:
    """Forget a preset."""
    if not _presets(context).delete(name):
        raise not_found(f'preset "{name}"', "GET /wan/v1/presets lists what is there")
    return Response(status_code=204)
