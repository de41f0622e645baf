"""The dry run draws what the plan says, differently for each clip and frame, without torch."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from wan_engine.backends import ClipRequest
from wan_engine.backends.dry_run import DryRunBackend
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import Plan
from wan_engine.settings import Settings


def small_plan(**changes: object) -> Plan:
    family = FAMILIES["wan-tiny"]
    card = ModelCard("tiny", family, family.modes)
    values = {"prompts": {"0": "a red circle", "8": "a blue square"}, "max_frames": 16, "seed": 1, "steps": "1"}
    return build_plan(Settings(**{**values, **changes}), Lineup({"t2v": card, "i2v": card}))  # type: ignore[arg-type]


def frames_of(plan: Plan, number: int) -> list[np.ndarray]:
    run = DryRunBackend().start(ClipRequest(plan.clips[number], 320, 176))
    run.step()
    return list(run.frames())


def test_every_frame_is_another_picture() -> None:
    frames = frames_of(small_plan(), 0)
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))


def test_the_prompt_is_drawn() -> None:
    plain = frames_of(small_plan(), 0)[0]
    other = frames_of(small_plan(prompts={"0": "something else"}), 0)[0]
    assert not np.array_equal(plain[:60], other[:60])


def test_a_very_long_or_empty_prompt_is_drawn_too() -> None:
    for prompt in ("word " * 2000, "x" * 5000, "\n\t", "\u0001 \U0001f600"):
        assert len(frames_of(small_plan(prompts={"0": prompt}), 0)) == 17


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; from wan_engine.backends.dry_run import DryRunBackend; DryRunBackend();"
        "sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    scripts = Path(__file__).resolve().parents[2] / "scripts"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(scripts)}, check=False).returncode == 0
