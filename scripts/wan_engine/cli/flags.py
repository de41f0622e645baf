"""Makes a verb's flags: one for each setting of the table, and the three that every verb has.

The text of a flag is checked by `settings_check`, as a file's values are, so that problems of both read the same and
come together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import typer

from wan_engine.cli.screen import Screen
from wan_engine.settings import SETTINGS, SettingSpec

Flags = dict[str, Any]
"""The settings a user gave as flags: name and unchecked value."""

_VALUE_WORDS = {
    "int": "INTEGER",
    "float": "NUMBER",
    "fps": "RATE",
    "path": "PATH",
    "paths": "PATHS",
    "model": "MODEL",
    "schedule": "SCHEDULE",
    "text_schedule": "SCHEDULE",
    "text": "TEXT",
}


def flagged(table: Mapping[str, SettingSpec]) -> tuple[SettingSpec, ...]:
    """The settings of a table that have a flag: all but those whose value is an object."""
    return tuple(spec for spec in table.values() if spec.kind in _VALUE_WORDS or spec.kind in ("bool", "choice"))


FLAGGED = flagged(SETTINGS)
"""The settings of films that have a flag."""


def flag_name(setting: str) -> str:
    """The flag of a setting: `max_frames` is `--max-frames`."""
    return "--" + setting.replace("_", "-")


def range_words(spec: SettingSpec) -> str:
    """The values a setting takes, in words, or nothing: `0 to 51`, `1 to 240 frames/s`."""
    if spec.choices and spec.kind != "choice":
        return ", ".join(spec.choices)
    if spec.minimum is None or spec.maximum is None:
        return ""
    low, high = f"{spec.minimum:.10g}", f"{spec.maximum:.10g}"
    return f"{low} to {high} {spec.unit}".strip()


def verb(
    with_settings: bool = False, table: Mapping[str, SettingSpec] = SETTINGS
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Turn a function into a verb of the command line.

    The function's parameter `screen` is filled from `--json`, `--plain` and `--verbose`. With `with_settings` its
    parameter `flags` gets the settings of `table` that were given as flags. Its other parameters are its own.
    """
    specs = flagged(table) if with_settings else ()

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            flags = {spec.name: value for spec in specs if (value := values.pop(spec.name)) is not None}
            screen = Screen(*(values.pop(name) for name in ("json", "plain", "verbose")))
            screen.start_logging()
            function(screen, *([flags] if with_settings else []), **values)

        signature = inspect.signature(function, eval_str=True)
        own = [entry for entry in signature.parameters.values() if entry.name not in ("screen", "flags")]
        setting_flags = [_setting_parameter(spec) for spec in specs]
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = signature.replace(parameters=[*own, *_common(), *setting_flags])  # type: ignore[attr-defined]
        return run

    return decorate


def _parameter(name: str, kind: type, option: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind)


def _common() -> list[inspect.Parameter]:
    words = {
        "json": "Write exactly one JSON document to stdout; everything else goes to stderr.",
        "plain": "No colours, bars or control characters, even in a terminal.",
        "verbose": "Show log messages, and tracebacks of unexpected errors.",
    }
    return [_parameter(name, bool, typer.Option(False, f"--{name}", help=text)) for name, text in words.items()]


def _setting_parameter(spec: SettingSpec) -> inspect.Parameter:
    switch = spec.kind == "bool"
    name = flag_name(spec.name)
    option = typer.Option(
        None,
        f"{name}/--no-{name[2:]}" if switch else name,
        metavar=None if switch else "|".join(spec.choices if spec.kind == "choice" else [_VALUE_WORDS[spec.kind]]),
        help=_help(spec),
        show_default=False,
        rich_help_panel=f"Settings: {spec.group}",
    )
    return _parameter(spec.name, bool if switch else str, option)


def _help(spec: SettingSpec) -> str:
    default = ("on" if spec.default else "off") if spec.kind == "bool" else str(spec.default)
    facts = [range_words(spec), f"default {default}" if default else ""]
    words = "; ".join(fact for fact in facts if fact)
    # Help panels read rich's markup; a bracket in a schedule is none.
    return (f"{spec.help} ({words})" if words else spec.help).replace("[", "\\[")
