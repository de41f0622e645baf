"""Presets of distilled models: what they set, and what the user's own values keep."""

from __future__ import annotations

from typing import Any

import pytest

from wan_engine.plan.distilled import PRESETS
from wan_engine.settings import SETTINGS


def sampling(clip: Any) -> tuple[int, str, float, float, float | None]:
    return (clip.steps, clip.sampler, clip.flow_shift, clip.guidance_scale, clip.guidance_scale_2)


def test_the_setting_names_every_preset() -> None:
    assert SETTINGS["distilled"].choices == ("off", *PRESETS)


def test_off_leaves_the_families_own(planned) -> None:
    assert planned("a14b").clips == planned("a14b", distilled="off").clips
    assert sampling(planned("a14b").clips[0]) == (40, "unipc", 12.0, 4.0, 3.0)


@pytest.mark.parametrize(("models", "second"), [("t2v", None), ("a14b", 1.0)])
def test_lightx2v_in_four_steps(planned, models: str, second: float | None) -> None:
    plan = planned(models, distilled="lightx2v_4")
    assert sampling(plan.clips[0]) == (4, "distilled", 5.0, 1.0, second)
    assert not any("guidance_scale_2" in note for note in plan.notes)


def test_what_the_user_sets_wins(planned) -> None:
    own = {"steps": "0: (8), 40: (6)", "flow_shift": 3, "guidance_scale": 1.5, "sampler": "euler"}
    plan = planned("a14b", {"0": "a", "40": "b"}, distilled="lightx2v_4", **own)
    found = [sampling(clip) for *_, clip in plan.prompt_spans()]
    assert found == [(8, "euler", 3.0, 1.5, 1.0), (6, "euler", 3.0, 1.5, 1.0)]
