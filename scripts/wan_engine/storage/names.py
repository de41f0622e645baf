"""Makes a film's folder name from the batch_name template, as Deforum does, and keeps it a plain name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wan_engine.settings import Settings, settings_to_mapping

VALUE_LENGTH = 50
"""Characters kept of each filled-in value, as in Deforum."""
NAME_BYTES = 240
"""Longest name in UTF-8. File systems allow 255 bytes a name; the rest is left for what tools append."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\s,\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
"""Names that Windows keeps for devices, with any extension."""


def timestring(now: datetime) -> str:
    """The time of a run as names carry it: YYYYMMDDHHMMSS."""
    return now.strftime("%Y%m%d%H%M%S")


def template_values(settings: Settings, now: datetime) -> dict[str, Any]:
    """What a template can name: every setting, Deforum's short names, and the time. Keys are in lower case."""
    values = settings_to_mapping(settings)
    values.update(
        w=settings.width,
        h=settings.height,
        timestring=timestring(now),
        date=now.strftime("%Y%m%d"),
        time=now.strftime("%H%M%S"),
        animation_prompts=settings.prompts,
        animation_prompts_positive=settings.positive_prompt,
        animation_prompts_negative=settings.negative_prompt,
        sampler=settings.sampler,
    )
    return values


def fill_name(template: str, values: Mapping[str, Any], max_bytes: int = NAME_BYTES) -> str:
    """One folder name from a template such as `{seed}_{w}x{h}`.

    Names are found in any letter case. Each value is cut to 50 characters; of prompts the first is taken; an empty
    value or None gives `_`; an unknown name stands for itself. Blanks and characters that a file system forbids
    become `_`. The result is never empty, never a path, never `.` or `..`, never a device name, and at most
    `max_bytes` long in UTF-8.
    """
    filled = _PLACEHOLDER.sub(lambda match: _value_text(match[1], values), template)
    # Half characters become "?", which some file systems forbid.
    name = _FORBIDDEN.sub("_", filled.encode("utf-8", "replace").decode("utf-8"))
    name = name.encode("utf-8")[:max_bytes].decode("utf-8", "ignore")
    # Windows drops dots at the end of a name, and names of dots alone lead out of the folder.
    name = re.sub(r"\.+$", lambda dots: "_" * len(dots[0]), name)
    if _RESERVED.fullmatch(name):
        name = "_" + name
    return name or "_"


def _value_text(name: str, values: Mapping[str, Any]) -> str:
    if name not in values:
        name_in_any_case = name.lower()
        if name_in_any_case not in values:
            return name
        name = name_in_any_case
    value = values[name]
    if isinstance(value, Mapping):
        value = next(iter(value.values()), None)
    text = "" if value is None else str(value)
    return text[:VALUE_LENGTH] or "_"
