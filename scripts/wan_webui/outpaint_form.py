"""The form of the page Outpaint: what the canvas is, what is painted on it, with what and how."""

from __future__ import annotations

from wan_engine.settings_outpaint import OUTPAINT_SETTINGS
from wan_webui.film_form import MODEL_FIELDS
from wan_webui.form_table import Looks, Section, Table

NOT_SHOWN = {
    "i2v_model": "outpainting takes VACE models alone",
    "flf2v_model": "outpainting takes VACE models alone",
    "vace_model": "it is the model itself",
    "backend": "drawing prompts shows nothing of a canvas",
    "devices": "one film is outpainted on one device",
}
"""Settings without a control, each with the reason."""

_CANVAS = Section(
    "canvas",
    "Canvas",
    (
        ("target_width", "target_height", "aspect"),
        ("left", "right", "top", "bottom"),
        ("position", "canvas", "gradient_width"),
    ),
    (("source_fit", "scale_factor"), ("noise_vae",), ("mask",), ("box",)),
)
_TEXT = Section("text", "Text", (("prompt",), ("negative_prompt",)), (("caption_model",), ("caption_template",)))
_MODEL = Section(
    "model",
    "Model",
    (("model",),),
    (
        ("vace_module", "transformer_2"),
        ("vae", "text_encoder"),
        ("image_encoder",),
        ("model_dirs",),
        ("loras",),
        ("lora_dir",),
        ("device", "dtype", "attention"),
        ("memory_profile", "fp8_weights", "compile"),
    ),
)
_SAMPLING = Section(
    "sampling",
    "Sampling and chunks",
    (("num_inference_steps", "guidance_scale", "seed"), ("batch_size", "overlap", "split_scenes")),
    (("flow_shift", "sampler", "distilled"), ("detector", "threshold", "min_scene"), ("match_colour",)),
)
_OUTPUT = Section(
    "output",
    "Output",
    (("codec", "crf", "preset"),),
    (("encoder", "pixel_format"), ("output_dir", "keep_clips")),
)

OUTPAINT = Table(
    "outpaint",
    OUTPAINT_SETTINGS,
    (_CANVAS, _TEXT, _MODEL, _SAMPLING, _OUTPUT),
    "wan_outpaint_",
    Looks(
        uploads={"mask": ("video", "image")},
        models=tuple(name for name in MODEL_FIELDS if name not in NOT_SHOWN),
        own=("target_width", "target_height", "num_inference_steps", "guidance_scale", "flow_shift", "batch_size"),
        tall={"prompt": (2, 8), "loras": (2, 8)},
        examples={
            **dict.fromkeys(("target_width", "target_height"), "pixels"),
            **dict.fromkeys(("num_inference_steps", "guidance_scale", "flow_shift", "batch_size"), "the model's own"),
            "aspect": "16:9",
            "prompt": "what the whole picture shows",
            "negative_prompt": "kept out of the picture",
            "box": "left, top, width, height in pixels",
            "loras": "name: weight",
            "output_dir": "the usual place",
        },
        sliders=("crf",),
        steps={"threshold": 0.05, "left": 5, "right": 5, "top": 5, "bottom": 5, "scale_factor": 0.25},
    ),
)
