"""The memory profiles: where each component of a model lives under each. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Home = Literal["device", "turn", "blocks", "leaves", "cpu"]
"""Where a component lives.

device: on the device, always.  turn: in main memory, and on the device while it computes.  blocks, leaves: in main
memory; the device gets one block, or one layer, at a time while it computes, the next one on its way.  cpu: it
computes on the CPU.
"""


@dataclass(frozen=True)
class Profile:
    """One way to share out the memory.

    words: what it means, for a report.  transformer, text_encoder: where they live; the VAE and the image encoder are
    small and live at `small`.  keeps_text_encoder: else it is forgotten when all texts are encoded.
    tiled: the VAE works in tiles, which changes pictures a little where tiles meet.
    """

    name: str
    words: str
    transformer: Home
    text_encoder: Home
    small: Home = "turn"
    keeps_text_encoder: bool = False
    tiled: bool = False

    def home(self, component: str) -> Home:
        """Where a component lives. component: as `source.WITH_WEIGHTS` names it."""
        if component.startswith("transformer"):
            return self.transformer
        return self.text_encoder if component == "text_encoder" else self.small


FAST = Profile("fast", "all on the GPU", "device", "device", "device", keeps_text_encoder=True)
BALANCED = Profile("balanced", "each component on the GPU in its turn, no text encoder after encoding", "turn", "turn")
LOW = Profile("low", "the transformer and the text encoder pass through the GPU in pieces", "blocks", "leaves")
MINIMAL = Profile(
    "minimal", "as low, but texts are encoded on the CPU and pictures in tiles", "blocks", "cpu", tiled=True
)

PROFILES = (FAST, BALANCED, LOW, MINIMAL)
"""From the one that needs the most of the device to the one that needs the least."""


def profile_of(name: str) -> Profile:
    """The profile of that name. KeyError if there is none."""
    return {profile.name: profile for profile in PROFILES}[name]


def below(profile: Profile) -> Profile | None:
    """The next one, which needs less of the device; None below the last."""
    after = PROFILES.index(profile) + 1
    return PROFILES[after] if after < len(PROFILES) else None
