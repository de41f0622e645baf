"""What a setting is: its kind, range and help; and frame rates, which settings hold as text.

The table itself is `settings`.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SettingSpec:
    """What one setting is.

    kind: `int`, `float`, `bool`, `text`, `path`, `paths` (one a line), `model` (a path, or a name that `models list`
    shows), `choice`, `fps`, `schedule` (numbers by frame), `text_schedule` (words by frame), `prompts` (text by key),
    `images` (path by key).
    minimum and maximum are inclusive and in `unit`; for a schedule they hold for each value.
    """

    name: str
    kind: str
    default: Any
    label: str
    group: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""


def setting(default: Any, kind: str, label: str, group: str, help_text: str, **more: Any) -> Any:
    """The field of a dataclass that holds this setting; `more` are further values of its `SettingSpec`."""
    metadata = {"kind": kind, "label": label, "group": group, "help": help_text, **more}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def spec_of(entry: Any) -> SettingSpec:
    """The spec of a dataclass's field that `setting` made."""
    default = entry.default if entry.default is not MISSING else entry.default_factory()
    return SettingSpec(name=entry.name, default=default, **entry.metadata)


def is_model_name(value: str, folder: Path) -> bool:
    """Whether a value of the kind `model` is a listed model's name: no path, nor the name of anything in `folder`."""
    if not value or value in (".", "..") or value.startswith("~") or set(value) & set("/\\"):
        return False
    try:
        return not (folder / value).exists()
    except (OSError, ValueError):
        return True  # what the system cannot even look for is no path


def path_lines(value: str) -> tuple[str, ...]:
    """The paths of a value of the kind `paths`, without the quotes that file managers put around them."""
    lines = (line.strip().strip("\"'") for line in value.splitlines())
    return tuple(line for line in lines if line)


_NTSC = {"23.976": (24000, 1001), "23.98": (24000, 1001), "29.97": (30000, 1001), "59.94": (60000, 1001)}
_RATE = re.compile(r"-?[0-9]{1,9}(\.[0-9]{0,20}|/[0-9]{1,9})?")


def parse_fps(value: str | int | float) -> Fraction:
    """A frame rate as an exact ratio: `16`, `12.5`, `30000/1001`; 23.976, 29.97 and 59.94 are the broadcast ratios.

    Raises ValueError for anything else. Zero is allowed and means "not set".
    """
    text = str(value).strip()
    if text in _NTSC:
        return Fraction(*_NTSC[text])
    # Fraction also reads exponents, and 1e999999999 would take all memory.
    if not _RATE.fullmatch(text):
        raise ValueError("it is neither a number nor a ratio")
    try:
        rate = Fraction(text)
    except ZeroDivisionError as error:
        raise ValueError("its denominator is zero") from error
    if rate < 0:
        raise ValueError("it is negative")
    return rate
