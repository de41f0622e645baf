"""Which pipeline of diffusers renders each mode, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.families import Mode
from wan_engine.models.source import ModelSource

_EVERY = ("tokenizer", "vae", "scheduler", "transformer", "transformer_2")


@dataclass(frozen=True)
class PipelineKind:
    """A pipeline class. parts: names of its components but for the text encoder.  options: values it takes besides."""

    name: str
    parts: tuple[str, ...] = _EVERY
    options: tuple[str, ...] = ("boundary_ratio", "expand_timesteps")


TEXT_TO_VIDEO = PipelineKind("WanPipeline")
IMAGE_TO_VIDEO = PipelineKind("WanImageToVideoPipeline", (*_EVERY, "image_encoder", "image_processor"))
MASKED_VIDEO = PipelineKind("WanVACEPipeline", options=("boundary_ratio",))

KINDS: dict[Mode, PipelineKind] = {
    "t2v": TEXT_TO_VIDEO,
    "i2v": IMAGE_TO_VIDEO,
    "flf2v": IMAGE_TO_VIDEO,
    "vace": MASKED_VIDEO,
}


def build_pipeline(kind: PipelineKind, source: ModelSource, parts: Mapping[str, Any]) -> Any:
    """The pipeline of these components, without a text encoder; see `build_text_pipeline`."""
    import diffusers

    options = {name: getattr(source, name) for name in kind.options}
    pipeline = getattr(diffusers, kind.name)(text_encoder=None, **parts, **options)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def build_text_pipeline(tokenizer: Any, text_encoder: Any) -> Any:
    """A pipeline that only encodes prompts; every Wan pipeline does it in the same way."""
    from diffusers import WanPipeline

    return WanPipeline(tokenizer=tokenizer, text_encoder=text_encoder, vae=None, scheduler=None)


def check_together(source: ModelSource) -> None:
    """Raises ModelError unless the configs of a model's components fit one another: nothing is loaded for it."""
    transformer = source.config("transformer")
    where = source.components
    _same(source, "text_encoder", ("d_model", "hidden_size"), transformer.get("text_dim", 4096), "text_dim")
    wanted = {36: 16}.get(transformer.get("in_channels", 16), transformer.get("in_channels", 16))
    _same(source, "vae", ("z_dim",), wanted, "the channels of its latents")
    if transformer.get("image_dim") is not None:
        if "image_encoder" not in where:
            message = f"{where['transformer']} takes CLIP's picture, but the model has no image_encoder"
            raise ModelError(message, "Name the file of OpenCLIP ViT-H/14")
        _same(source, "image_encoder", ("hidden_size",), transformer["image_dim"], "image_dim")
    if "transformer_2" in where and _figures(source.config("transformer_2")) != _figures(transformer):
        message = f"{where['transformer_2']} is not the other expert of {where['transformer']}: their figures differ"
        raise ModelError(message, "Choose the high and the low noise transformer of one model")


def _same(source: ModelSource, name: str, keys: tuple[str, ...], wanted: Any, what: str) -> None:
    config = source.config(name)
    there = next((config[key] for key in keys if key in config), wanted)
    if there != wanted:
        message = (
            f"{source.components[name]} does not belong to {source.components['transformer']}: "
            f"it has {keys[0]} {there}, but the transformer needs {wanted} ({what})"
        )
        raise ModelError(message, f"Choose the {name} of this model")


def _figures(config: Mapping[str, Any]) -> dict[str, Any]:
    names = ("num_attention_heads", "attention_head_dim", "num_layers", "ffn_dim", "in_channels", "image_dim")
    return {name: config.get(name) for name in names}
