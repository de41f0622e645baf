"""The disk a film needs, against a sum done by hand."""

from __future__ import annotations

PIXELS = 64 * 64
LATENT_9_FRAMES = 16 * 9 * 8 * 8 * 4
"""Bytes of a 33-frame clip's latents: 16 channels, 9 latent frames, 8 x 8, float32."""


def test_disk_is_raw_frames_and_two_states_of_the_largest_clip(planned) -> None:
    plan = planned("tiny", {"0": "a", "32": "b"}, max_frames=40)
    assert [(clip.intervals, clip.frames) for clip in plan.clips] == [(32, 33), (8, 9)]
    assert plan.disk_bytes == (33 + 9) * PIXELS * 3 + 2 * 4 * LATENT_9_FRAMES
