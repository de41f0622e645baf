"""Makes docs/settings.md from the table of settings: `python -m wan_engine.cli.settings_page > docs/settings.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from wan_engine.cli.flags import flag_name, flagged, range_words
from wan_engine.settings import GROUPS, SETTINGS, SettingSpec
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS
from wan_engine.settings_pictures import PICTURE_SETTINGS
from wan_engine.settings_planning import PLANNING_SETTINGS
from wan_engine.settings_split import SPLIT_SETTINGS

_TITLES = {
    "prompts": "Prompts",
    "film": "Film",
    "start": "Start, end and continuity",
    "model": "Model",
    "sampling": "Sampling",
    "output": "Output",
    "planning": "Planning a storyboard",
    "pictures": "Keyframe pictures",
    "scenes": "Scenes: finding them",
    "files": "Scenes: their files",
    "outpaint canvas": "Outpaint: canvas",
    "outpaint text": "Outpaint: texts",
    "outpaint sampling": "Outpaint: sampling",
    "outpaint chunks": "Outpaint: chunks and scenes",
    "outpaint file": "Outpaint: the film's file",
}

_KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "text": "text",
    "path": "path",
    "paths": "paths, one a line",
    "model": "path, or name of a model",
    "choice": "one of",
    "fps": "frame rate",
    "schedule": "schedule of numbers",
    "text_schedule": "schedule of words",
    "prompts": "object of key and text",
    "images": "object of key and path",
}

_HEAD = """# Settings

This page is made from the table in `scripts/wan_engine/settings.py`; a test checks that it is current. To make it
again: `python -m wan_engine.cli.settings_page > docs/settings.md`.

Names are the keys of project files; the flag is the command line's. A *schedule* is a value, or values by frame such as
`0: (5.0), 40: (7.0)`; see [schedule.md](schedule.md). An empty default leaves the choice to the engine, as the text
says.
"""


def page() -> str:
    """The page, as Markdown."""
    films = [_group(name, SETTINGS) for name in GROUPS]
    scenes = [_group(name, SPLIT_SETTINGS) for name in ("scenes", "files")]
    outpaint = [_group(name, OUTPAINT_SETTINGS) for name in _TITLES if name.startswith("outpaint")]
    stories = [_group("planning", PLANNING_SETTINGS), _group("pictures", PICTURE_SETTINGS)]
    return "\n".join([_HEAD, *films, *stories, *scenes, *outpaint])


def _group(name: str, table: Mapping[str, SettingSpec]) -> str:
    with_flag = flagged(table)
    rows = [_row(spec, spec in with_flag) for spec in table.values() if spec.group == name]
    head = ["| setting | flag | value | default | what it does |", "|---|---|---|---|---|"]
    return "\n".join([f"## {_TITLES[name]}", "", *head, *rows, ""])


def _row(spec: SettingSpec, has_flag: bool) -> str:
    flag = f"`{flag_name(spec.name)}`" if has_flag else ""
    allowed = ", ".join(f"`{choice}`" for choice in spec.choices) or range_words(spec)
    value = f"{_KINDS[spec.kind]}{' ' if spec.kind == 'choice' else ', ' if allowed else ''}{allowed}"
    default = spec.default if isinstance(spec.default, str) else json.dumps(spec.default)
    cells = (f"`{spec.name}`", flag, value, f"`{default}`" if default else "empty", f"**{spec.label}.** {spec.help}")
    return "| " + " | ".join(cell.replace("|", r"\|").replace("<", r"\<") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
