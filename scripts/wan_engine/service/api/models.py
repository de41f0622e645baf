"""The route that lists models."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from wan_engine.models.listing import list_models
from wan_engine.service.api.context import UseContext
from wan_engine.service.api.problems import PlainJSON
from wan_engine.service.api.schemas import ModelOut
from wan_engine.tiny import WEIGHTS

router = APIRouter(tags=["models"])


@router.get("/models", responses={200: {"model": list[ModelOut]}})
def models(context: UseContext) -> PlainJSON:
    """Models and their parts in the engine's folders of models and the Hugging Face cache; first the embedded one.

    An incomplete model says what is missing, a damaged file why it cannot be used. Only headers are read.
    """
    config = context.config
    return PlainJSON([asdict(model) for model in list_models(config.model_roots, WEIGHTS, config.home)])
