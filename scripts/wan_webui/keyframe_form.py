"""The form of the page Keyframes, beside what all pages that make films share: size and rate, and how segments join."""

from __future__ import annotations

from dataclasses import replace

from wan_engine.settings import SETTINGS
from wan_webui.film_form import LOOKS
from wan_webui.form_table import Section, Table, with_rest

NOT_SHOWN = {
    **dict.fromkeys(("prompts", "positive_prompt"), "the page's own prompts say it"),
    **dict.fromkeys(("max_frames", "guided_images", "init_image", "end_image"), "the keyframes say it"),
    "init_video": "the film begins with a picture",
    "loop": "the film ends with a picture",
}
"""Settings of these groups without a control here, each with the reason."""

# As keyframe projects have them: contracts of the tools whose files are read.
_DEFAULTS = {"fps": "24", "smoothing": "temporal_filter"}

SPECS = {name: replace(spec, default=_DEFAULTS.get(name, spec.default)) for name, spec in SETTINGS.items()}
"""The table of settings with the defaults of keyframe projects."""

_FILM = Section(
    "film",
    "Film",
    (("width", "height", "fps"), ("image_fit",)),
    (("model_fps", "resample", "clip_duration"), ("negative_prompt",)),
)
_JOINS = Section(
    "start",
    "Joins",
    (("smoothing", "hold_colour"),),
    (("continuity", "overlap_frames"), ("overlap_noise", "spare_frames")),
)

KEYFRAMES = Table(
    "keyframes", SPECS, tuple(with_rest((_FILM, _JOINS), SPECS, tuple(NOT_SHOWN))), "wan_keyframes_", LOOKS
)
