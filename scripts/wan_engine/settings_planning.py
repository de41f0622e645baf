"""The table of settings of planning a storyboard: who plans, what is wanted, how far the work goes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from wan_engine.setting_spec import SettingSpec, setting, spec_of

MOST_SECONDS = 3600
"""Longest film that is planned at once."""
MOST_SEGMENTS = 200


@dataclass(frozen=True)
class PlanningSettings:
    """Everything a user can set for planning: flags of `storyboard`."""

    planner: str = setting(
        "splitter",
        "choice",
        "Planned by",
        "planning",
        "splitter takes the text's own sentences and asks nobody; llm asks a language model, which may cost money.",
        choices=("splitter", "llm"),
    )
    seconds: float = setting(
        0.0,
        "float",
        "Seconds",
        "planning",
        "Length of the whole film; 0 as the text asks.",
        minimum=0,
        maximum=MOST_SECONDS,
        unit="seconds",
    )
    segments: int = setting(
        0,
        "int",
        "Segments",
        "planning",
        "How many segments the film has; 0 as fits.",
        minimum=0,
        maximum=MOST_SEGMENTS,
    )
    upto: str = setting(
        "storyboard",
        "choice",
        "Go on to",
        "planning",
        "How far the work goes without asking again: the storyboard alone, its pictures too, or the film.",
        choices=("storyboard", "pictures", "film"),
    )


PLANNING_SETTINGS: dict[str, SettingSpec] = {entry.name: spec_of(entry) for entry in fields(PlanningSettings)}
"""The table, by name."""
