"""What tests of storyboards share: a long prompt that the small model can draw, and a language model's answer."""

from __future__ import annotations

from typing import Any

TEXT = "A red circle moves right. A blue square moves down."

ANSWER: dict[str, Any] = {
    "title": "Shapes",
    "style": "on black",
    "characters": [{"name": "Dot", "look": "a red circle"}],
    "continuity": "one shape at a time",
    "segments": [
        {
            "first_keyframe": "a red circle at the left",
            "prompt": "Dot moves right",
            "camera": "still",
            "seconds": 2,
            "last_keyframe": "a blue square at the top",
        },
        {
            "first_keyframe": "a blue square at the top",
            "prompt": "the blue square moves down",
            "camera": "",
            "seconds": 1.6,
            "last_keyframe": "a blue square at the bottom",
        },
    ],
}
"""A storyboard in the form that a model is asked for; its second duration is none that the video model makes."""
