"""The forms of the film's settings: what a film shows, and with what and how it is made, which several pages share."""

from __future__ import annotations

from wan_engine.families import FAMILIES, Family
from wan_engine.settings import SETTINGS
from wan_webui.form_table import ID_PREFIX, Looks, Row, Section, Table, with_rest

EMBEDDED = FAMILIES["wan-tiny"]
"""The family of the model that is used when none is named."""

NOT_SHOWN: dict[str, str] = {}
"""Settings without a control, each with the reason."""

MODEL_FIELDS = (
    *("model", "i2v_model", "flf2v_model", "vace_model"),
    *("vae", "text_encoder", "image_encoder", "transformer_2", "vace_module"),
)
"""Settings that name a model or a part of one."""

OWN = ("width", "height", "model_fps", "clip_duration", "flow_shift")
"""Settings of which 0 leaves the choice to the model."""

_PART_ROWS: tuple[Row, ...] = (
    ("vae", "text_encoder"),
    ("image_encoder", "transformer_2"),
    ("vace_module",),
    ("model_dirs",),
)

_PROMPTS = Section("prompts", "", (("prompts",), ("positive_prompt", "negative_prompt")))
_FILM = Section(
    "film",
    "Film",
    (("width", "height", "max_frames", "fps"),),
    (("model_fps", "resample", "smoothing", "clip_duration"),),
)
_START = Section(
    "start",
    "Start and end",
    (("init_image",), ("end_image",)),
    (
        ("init_video",),
        ("guided_images",),
        ("image_fit", "continuity", "loop"),
        ("inner_images",),
        ("overlap_frames", "overlap_noise", "spare_frames", "hold_colour"),
        ("pin_colour",),
        ("seam_retries", "seam_repair", "repair_frames"),
    ),
)
_MODEL = Section(
    "model",
    "Model",
    (("model", "backend"),),
    (
        ("i2v_model",),
        ("flf2v_model",),
        ("vace_model",),
        *_PART_ROWS,
        ("loras",),
        ("lora_dir",),
        ("device", "devices"),
        ("dtype", "attention"),
        ("memory_profile", "fp8_weights", "compile"),
    ),
    beside='<span class="wan-space"></span><button type="button" class="wan-button" id="wan_models_refresh">'
    "Refresh models</button>",
    # The place where the script lists what can be downloaded.
    below='<div class="wan-mount" data-mount="downloads"></div>',
)
_SAMPLING = Section(
    "sampling",
    "Sampling",
    (("steps", "guidance_scale", "seed"),),
    (
        ("guidance_scale_2", "flow_shift", "sampler", "distilled"),
        ("seed_behavior", "seed_iter_n"),
        ("seed_schedule",),
    ),
)
_OUTPUT = Section(
    "output",
    "Output",
    (("batch_name", "codec", "crf"),),
    (
        ("encoder", "preset", "pixel_format"),
        ("soundtrack",),
        ("soundtrack_offset", "output_dir"),
        ("subtitles", "save_frames", "make_gif", "keep_clips"),
    ),
)


def own_values(family: Family) -> dict[str, str]:
    """What an empty box means with a model of this family, by setting: the value the engine takes then."""
    two = family.guidance_scale_2
    return {
        "width": f"{family.width}",
        "height": f"{family.height}",
        "model_fps": f"{family.fps}",
        "clip_duration": f"{family.native_frames / family.fps:.3g}",
        "flow_shift": f"{family.flow_shift(family.width, family.height):g}",
        "steps": f"{family.steps}",
        "guidance_scale": f"{family.guidance_scale:g}",
        "guidance_scale_2": f"{two:g}" if two is not None else "two experts only",
    }


LOOKS = Looks(
    uploads={
        "init_image": ("image",),
        "end_image": ("image",),
        "guided_images": ("image",),
        "init_video": ("video",),
        "soundtrack": ("audio", "video"),
    },
    models=MODEL_FIELDS,
    own=OWN,
    tall={"prompts": (8, 24), "guided_images": (3, 12), "loras": (2, 8)},
    examples={
        **own_values(EMBEDDED),
        "prompts": "0: a red fox in fresh snow, morning light\n40: the fox runs through a birch forest --neg blur\n"
        "5s: the fox rests by a frozen lake",
        "positive_prompt": "put before every prompt",
        "negative_prompt": "kept out of every prompt",
        "guided_images": "40: /pictures/forest.png",
        "loras": "name: weight",
        "lora_dir": "loras in the engine's own folder",
        "model_dirs": "ComfyUI",
        "output_dir": "the usual place",
        "sampler": "unipc, or 0: (unipc), 60: (euler)",
    },
    sliders=("crf",),
    steps={"soundtrack_offset": 0.1},
)

FILM = Table(
    "film",
    SETTINGS,
    tuple(with_rest((_PROMPTS, _FILM, _START), SETTINGS, tuple(NOT_SHOWN))),
    ID_PREFIX,
    LOOKS,
    kept=True,
)
"""What the film shows: the page Film's own."""

MAKING = Table(
    "making",
    SETTINGS,
    tuple(with_rest((_MODEL, _SAMPLING, _OUTPUT), SETTINGS, tuple(NOT_SHOWN))),
    ID_PREFIX,
    LOOKS,
    kept=True,
)
"""With which model a film is made, how, and into which files: the same on every page that makes films."""
