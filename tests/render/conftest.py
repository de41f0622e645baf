"""A small plan, drawn and not rendered, for the tests of rendering."""

from __future__ import annotations

from pathlib import Path

import pytest

from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan
from wan_engine.render.clip_store import ClipStore
from wan_engine.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    prompts = {"0": "a red circle", "8": "a blue square"}
    return Settings(
        prompts=prompts, max_frames=20, width=64, height=48, steps="3", seed=1, backend="dry_run", preset="ultrafast"
    )


@pytest.fixture
def plan(settings: Settings) -> Plan:
    family = FAMILIES["wan-tiny"]
    card = ModelCard("tiny", family, family.modes)
    return build_plan(settings, Lineup({"t2v": card, "i2v": card, "flf2v": card}))


@pytest.fixture
def store(plan: Plan, tmp_path: Path) -> ClipStore:
    folder = tmp_path / "clips"
    folder.mkdir()
    return ClipStore(folder, plan)
