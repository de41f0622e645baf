"""The table of settings of outpainting: the canvas, what fills it, the chunks it is made in, its file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from wan_engine import settings_shared as shared
from wan_engine.setting_spec import SettingSpec, setting, spec_of
from wan_engine.settings_model import ModelSettings
from wan_engine.settings_outpaint_canvas import CanvasSettings

OUTPAINT_VERSION = 1
"""Version of the project files of kind outpaint; a file with a higher one is refused."""


@dataclass(frozen=True)
class OutpaintSettings(ModelSettings, CanvasSettings):
    """Everything a user can set for an outpaint. Names are the keys of project files and, with dashes, of flags."""

    prompt: str = setting(
        "",
        "text",
        "Prompt",
        "outpaint text",
        "What the whole picture shows. A tag <lora:name:weight> adds a LoRA; --neg starts the negative part.",
    )
    negative_prompt: str = setting("", "text", "Negative prompt", "outpaint text", "What shall not be seen.")
    caption_model: str = setting(
        "",
        "text",
        "Caption model",
        "outpaint text",
        "Describes a frame of each chunk: the folder of an image-to-text model for transformers (BLIP-2, BLIP, GIT), "
        "its name in the Hugging Face cache, or blip2 as models download fetches it. Empty captions nothing.",
    )
    caption_template: str = setting(
        "{prompt}, {caption}",
        "text",
        "Caption template",
        "outpaint text",
        "How prompt and caption become the chunk's prompt; both names must be in it.",
    )

    num_inference_steps: int = setting(
        0,
        "int",
        "Steps",
        "outpaint sampling",
        "Denoising steps. 0 takes the family's own; distilled models such as FusionX want 9 or so.",
        minimum=0,
        maximum=1000,
    )
    guidance_scale: float = setting(
        0.0,
        "float",
        "Guidance scale",
        "outpaint sampling",
        "How strongly the prompt is followed (CFG); 1 switches it off, as distilled models want it. 0 takes the "
        "family's own.",
        minimum=0,
        maximum=100,
    )
    flow_shift: float = shared.flow_shift("outpaint sampling")
    sampler: str = setting(
        "unipc",
        "choice",
        "Sampler",
        "outpaint sampling",
        "distilled is Euler on even timesteps, as distilled models want it.",
        choices=("unipc", "euler", "distilled"),
    )
    distilled: str = shared.distilled(
        "outpaint sampling",
        "Sampling of a model, or LoRA, that was distilled to a few steps; what you set yourself wins.",
    )
    seed: int = shared.seed(
        "outpaint sampling",
        "Start of the random numbers; -1 draws one. Each chunk's own follows from it and the chunk's number.",
    )
    batch_size: int = setting(
        0,
        "int",
        "Chunk",
        "outpaint chunks",
        "Frames the model makes at once: 4k+1. 0 takes the family's native length. Longer chunks hold together better "
        "and need more memory.",
        minimum=0,
        maximum=1001,
        unit="frames",
    )
    overlap: int = setting(
        9,
        "int",
        "Overlap",
        "outpaint chunks",
        "Frames of a chunk that the next one begins with: 1, 5, 9, 13 or 17. With fewer than 9 a still scene may "
        "flicker a little at the join.",
        minimum=1,
        maximum=17,
        unit="frames",
    )
    match_colour: bool = setting(
        True,
        "bool",
        "Match colours",
        "outpaint chunks",
        "Takes back from each chunk the change of colour that it brings in, learned from the pixels that are known.",
    )
    split_scenes: bool = setting(
        True,
        "bool",
        "Scene by scene",
        "outpaint chunks",
        "Find the film's cuts first; no chunk crosses one. Off takes the film for a single scene.",
    )
    detector: str = shared.detector(
        "outpaint chunks",
        "What finds the cuts, as in split.",
    )
    threshold: float = shared.threshold(
        "outpaint chunks",
        "Probability from which on a frame is taken for a cut.",
    )
    min_scene: int = shared.min_scene("outpaint chunks")

    output_dir: str = shared.output_dir("outpaint file")
    codec: str = setting("h264", "choice", "Codec", "outpaint file", "H.264 or HEVC.", choices=("h264", "hevc"))
    encoder: str = shared.encoder("outpaint file")
    crf: int = shared.crf("outpaint file")
    preset: str = shared.preset("outpaint file", "slow")
    pixel_format: str = shared.pixel_format("outpaint file")
    keep_clips: bool = setting(
        False, "bool", "Keep chunks", "outpaint file", "Keep the lossless chunks after the film is finished."
    )


OUTPAINT_SETTINGS: dict[str, SettingSpec] = {entry.name: spec_of(entry) for entry in fields(OutpaintSettings)}
"""The table, by name, in the order in which settings are shown."""


def outpaint_settings_to_mapping(settings: OutpaintSettings) -> dict[str, Any]:
    """The settings as JSON-able values, which `settings_check.outpaint_settings_from_mapping` reads back."""
    return asdict(settings)
