"""The planners by name; each is loaded when it is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from wan_engine.storyboard.lengths import Lengths
from wan_engine.storyboard.planner import Planner
from wan_engine.storyboard.services import Service
from wan_engine.storyboard.splitter import Splitter


def make_planner(name: str, lengths: Lengths, services: Mapping[str, Service]) -> Planner:
    """The planner of this name (a choice of the setting `planner`). Raises InputError without its service."""
    if name == "splitter":
        return Splitter(lengths)
    from wan_engine.storyboard.llm.planner import LlmPlanner

    return LlmPlanner(services["planner"], lengths)
