"""The forms of the page Storyboard: who makes its pictures and how, and its film as keyframe films have it."""

from __future__ import annotations

from dataclasses import replace

from wan_engine.settings_pictures import PICTURE_SETTINGS
from wan_webui.form_table import Looks, Section, Table, with_rest
from wan_webui.keyframe_form import KEYFRAMES

_PICTURES = Section(
    "pictures",
    "Pictures",
    (("provider", "negative"),),
    (("seed", "strength"), ("width", "height"), ("steps", "guidance", "attempts")),
)

PICTURES = Table(
    "pictures",
    PICTURE_SETTINGS,
    tuple(with_rest((_PICTURES,), PICTURE_SETTINGS)),
    "wan_pictures_",
    Looks(examples={"negative": "what no picture shall show"}, steps={"strength": 0.05, "guidance": 0.5}),
)
"""How a storyboard's pictures are made."""

STORY_FILM = replace(KEYFRAMES, name="storyboard", prefix="wan_storyboard_")
"""The film of a storyboard: what segments and keyframes do not say."""
