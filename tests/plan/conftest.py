"""Line-ups and a one-call planner for the plan's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wan_engine.families import FAMILIES, Lineup, Mode, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan
from wan_engine.settings_check import settings_from_mapping

MakeLineup = Callable[..., Lineup]
Planner = Callable[..., Plan]

SETS: dict[str, dict[Mode, str]] = {
    "t2v": {"t2v": "wan2.1-t2v-1.3b"},
    "i2v": {"i2v": "wan2.1-i2v-14b"},
    "flf2v": {"flf2v": "wan2.1-flf2v-14b"},
    "t2v+i2v": {"t2v": "wan2.1-t2v-14b", "i2v": "wan2.1-i2v-14b"},
    "t2v+flf2v": {"t2v": "wan2.1-t2v-14b", "flf2v": "wan2.1-flf2v-14b"},
    "i2v+flf2v": {"i2v": "wan2.2-i2v-a14b", "flf2v": "wan2.2-i2v-a14b"},
    "all": {"t2v": "wan2.1-t2v-14b", "i2v": "wan2.1-i2v-14b", "flf2v": "wan2.1-flf2v-14b"},
    "a14b": {"t2v": "wan2.2-t2v-a14b", "i2v": "wan2.2-i2v-a14b", "flf2v": "wan2.2-i2v-a14b"},
    "5b": {"t2v": "wan2.2-ti2v-5b", "i2v": "wan2.2-ti2v-5b"},
    "5b+a14b": {"t2v": "wan2.2-ti2v-5b", "i2v": "wan2.2-i2v-a14b", "flf2v": "wan2.2-i2v-a14b"},
    "tiny": {"t2v": "wan-tiny", "i2v": "wan-tiny", "flf2v": "wan-tiny"},
    "vace": {"vace": "wan2.1-vace-14b"},
    "t2v+vace": {"t2v": "wan2.1-t2v-14b", "vace": "wan2.1-vace-14b"},
    "tiny+vace": {"t2v": "wan-tiny", "i2v": "wan-tiny", "flf2v": "wan-tiny", "vace": "wan-tiny"},
    "nothing": {},
}


def _lineup(name: str, **card: Any) -> Lineup:
    return Lineup(
        {mode: ModelCard(family, FAMILIES[family], frozenset({mode}), **card) for mode, family in SETS[name].items()}
    )


@pytest.fixture(scope="session")
def lineup() -> MakeLineup:
    """Makes a line-up of real families by the name of its set; keywords are fields of every card."""
    return _lineup


@pytest.fixture(scope="session")
def planned() -> Planner:
    """Plans a film: the set's name, the prompts and any settings; the seed is 100 unless given."""

    def plan(models: str, prompts: dict[str, str] | None = None, **settings: Any) -> Plan:
        values = {"prompts": prompts or {"0": "a red circle"}, "seed": 100, **settings}
        return build_plan(settings_from_mapping(values), _lineup(models))

    return plan
