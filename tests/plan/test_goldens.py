"""Golden plans: whole films whose plans are kept beside this file and may only change on purpose.

UPDATE_PLANS=1 writes them anew; read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from wan_engine.plan.model import plan_text, read_plan

PLANS = Path(__file__).parent / "plans"

FILMS: dict[str, tuple[str, dict[str, Any]]] = {
    "schedule": (
        "t2v+i2v",
        {
            "prompts": {
                "0": "a harbour at dawn --neg people",
                "60": "the same harbour in fog (boat:`t/60`)",
                "max_f/2": "ships leave the harbour --neg text",
                "7.5s": "the empty sea",
            },
            "positive_prompt": "oil painting,",
            "negative_prompt": "blurry",
            "max_frames": 241,
            "fps": "24",
            "guidance_scale": "0: (6), max_f: (4)",
            "seed": 2024,
        },
    ),
    "keyframes": (
        "a14b",
        {
            "prompts": {"0": "a seed becomes a tree", "100": "the tree in winter"},
            "max_frames": 181,
            "fps": "30",
            "guided_images": {"0": "seed.png", "40": "sprout.png"},
            "end_image": "tree.png",
            "seed": 7,
            "seed_behavior": "ladder",
        },
    ),
    "long_shot": (
        "5b",
        {
            "prompts": {"0": "a train crosses a bridge"},
            "max_frames": 450,
            "fps": "30000/1001",
            "width": 1280,
            "height": 720,
            "init_video": "train.mp4",
            "seed": 1,
        },
    ),
    "overlaps": (
        "t2v+vace",
        {
            "prompts": {"0": "a train leaves a station", "64": "the train crosses a bridge"},
            "max_frames": 250,
            "fps": "24",
            "overlap_frames": 13,
            "spare_frames": 4,
            "loop": True,
            "seed": 12,
        },
    ),
    "cuts": (
        "t2v",
        {
            "prompts": {"0": "one", "24": "two", "60": "three"},
            "max_frames": 100,
            "fps": "12.5",
            "resample": "nearest",
            "steps": "0: (30), 60: (20)",
            "sampler": "euler",
            "seed": 99,
            "seed_behavior": "fixed",
        },
    ),
}


@pytest.mark.parametrize("name", FILMS)
def test_golden_plan(planned, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    for picture in ("seed.png", "sprout.png", "tree.png", "train.mp4"):
        Path(picture).write_bytes(b"")
    models, settings = FILMS[name]
    plan = planned(models, **settings)
    golden = PLANS / f"{name}.json"
    if os.environ.get("UPDATE_PLANS"):
        golden.write_text(plan_text(plan), encoding="utf-8")
    assert json.loads(plan_text(plan)) == json.loads(golden.read_text(encoding="utf-8"))
    assert read_plan(golden) == plan


def test_every_golden_plan_has_its_film() -> None:
    assert sorted(path.stem for path in PLANS.glob("*.json")) == sorted(FILMS)
