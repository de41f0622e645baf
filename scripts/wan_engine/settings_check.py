"""Checks a user's values against the table of settings and reports every problem together."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.settings import SETTINGS, Settings, SettingSpec, parse_fps
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS, OutpaintSettings
from wan_engine.settings_pictures import PICTURE_SETTINGS, PictureSettings
from wan_engine.settings_split import SPLIT_SETTINGS, SplitSettings


def nearest_name(name: str, known: list[str] | tuple[str, ...]) -> str:
    """A remedy that names the closest known name, or the known names when none is close."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else "Known names: " + ", ".join(known)


def settings_from_mapping(values: Mapping[str, Any], file: str = "") -> Settings:
    """Checked settings from a user's values; what is not given has its default.

    Numbers given as text are read. Raises InputError with every unknown name, wrong type and value out of range.
    """
    return Settings(**checked_values(SETTINGS, values, file))


def split_settings_from_mapping(values: Mapping[str, Any], file: str = "") -> SplitSettings:
    """As `settings_from_mapping`, for the settings of scene splitting."""
    return SplitSettings(**checked_values(SPLIT_SETTINGS, values, file))


def outpaint_settings_from_mapping(values: Mapping[str, Any], file: str = "") -> OutpaintSettings:
    """As `settings_from_mapping`, for the settings of outpainting."""
    return OutpaintSettings(**checked_values(OUTPAINT_SETTINGS, values, file))


def picture_settings_from_mapping(values: Mapping[str, Any], file: str = "") -> PictureSettings:
    """As `settings_from_mapping`, for the settings of keyframe pictures."""
    return PictureSettings(**checked_values(PICTURE_SETTINGS, values, file))


def checked_values(table: Mapping[str, SettingSpec], values: Mapping[str, Any], file: str = "") -> dict[str, Any]:
    """The values that were given, checked against a table. Raises InputError with every problem."""
    problems = ProblemList()
    checked: dict[str, Any] = {}
    for name, value in values.items():
        spec = table.get(name)
        if spec is None:
            remedy = nearest_name(str(name), tuple(table))
            problems.add(Problem(f'"{name}" is not a setting', remedy, field=str(name), file=file))
            continue
        try:
            checked[name] = _checked(spec, value)
        except InputError as error:
            problems.extend(InputError(_with_file(problem, file) for problem in error.problems))
    problems.raise_if_any()
    return checked


def _with_file(problem: Problem, file: str) -> Problem:
    return replace(problem, file=problem.file or file)


def _wrong(spec: SettingSpec, message: str, remedy: str, key: str = "") -> InputError:
    return InputError(Problem(message, remedy, field=spec.name, key=key))


def _checked(spec: SettingSpec, value: Any) -> Any:
    if value is None:
        raise _wrong(spec, "it has no value", "Give a value or leave the setting out")
    check = {
        "int": _whole_number,
        "float": _number,
        "bool": _switch,
        "choice": _choice,
        "fps": _fps,
        "schedule": _schedule_text,
        "text_schedule": _text,
        "prompts": _text_by_key,
        "images": _text_by_key,
    }.get(spec.kind, _text)
    return check(spec, value)


def _shown(value: Any) -> str:
    """The value as messages show it: short, however long it is."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to write out whole numbers of more than 4300 digits.
        return f"a huge {type(value).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _text(spec: SettingSpec, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(spec, f"{_shown(value)} is not text", "Put it in quotes")
    if "\x00" in value:
        raise _wrong(spec, "the text holds a NUL character", "Remove it")
    return value


def _number(spec: SettingSpec, value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(spec, f"{_shown(value)} is not a number", "Give a number such as 1.5")
    _in_range(spec, number)
    return number


def _whole_number(spec: SettingSpec, value: Any) -> int:
    number = _number(spec, value)
    if number != int(number):
        raise _wrong(spec, f"{_shown(value)} is not a whole number", "Give a whole number")
    return int(number)


def _in_range(spec: SettingSpec, number: float) -> None:
    low, high = spec.minimum, spec.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        unit = f" {spec.unit}" if spec.unit else ""
        raise _wrong(spec, f"{number:.10g} is out of range", f"Give {low:.10g} to {high:.10g}{unit}")


def as_switch(value: Any) -> bool | None:
    """A switch, also one that is written as a word such as `yes` or `off`; None for anything else."""
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if isinstance(value, bool):
        return value
    return words.get(value.strip().lower()) if isinstance(value, str) else None


def _switch(spec: SettingSpec, value: Any) -> bool:
    switch = as_switch(value)
    if switch is None:
        raise _wrong(spec, f"{_shown(value)} is neither true nor false", "Give true or false")
    return switch


def _choice(spec: SettingSpec, value: Any) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in spec.choices:
        raise _wrong(spec, f"{_shown(value)} is not one of its values", "Give one of " + ", ".join(spec.choices))
    return text


def _fps(spec: SettingSpec, value: Any) -> str:
    try:
        rate = parse_fps(value)
    except ValueError as error:
        raise _wrong(
            spec, f"{_shown(value)} is not a frame rate", "Give a number or a ratio such as 30000/1001"
        ) from error
    _in_range(spec, float(rate))
    return str(value).strip()


def _schedule_text(spec: SettingSpec, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(
            spec, f"{_shown(value)} is not a schedule", 'Give a value or a schedule such as "0: (5.0), 40: (7)"'
        )
    if isinstance(value, str):
        return value
    _number(spec, value)
    return repr(value)


def _text_by_key(spec: SettingSpec, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _wrong(spec, "it is not an object of key and text", 'Write it as {"0": "...", "30": "..."}')
    problems = ProblemList()
    checked: dict[str, str] = {}
    for key, text in value.items():
        name = key if isinstance(key, str) else _shown(key)
        if not isinstance(text, str):
            message, remedy = f"its value is {type(text).__name__}, not text", "Put the value in quotes"
            problems.add(Problem(message, remedy, field=spec.name, key=name))
        elif "\x00" in text:
            problems.add(Problem("the text holds a NUL character", "Remove it", field=spec.name, key=name))
        elif name in checked:
            problems.add(Problem("the key stands twice", "Remove one of them", field=spec.name, key=name))
        checked[name] = text
    problems.raise_if_any()
    return checked
