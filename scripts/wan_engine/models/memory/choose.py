"""Chooses the memory profile: the first that fits into what was measured, with the reason in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wan_engine.models.memory.measure import Memory
from wan_engine.models.memory.needs import Needs
from wan_engine.models.memory.profiles import FAST, MINIMAL, PROFILES, Profile, profile_of

MARGIN_BYTES = 600 * 10**6
"""Left free on the device: torch's own context and libraries, and what the allocator cannot use for its holes."""
MARGIN_SHARE = 0.05
"""Share of the estimate added to it, of both memories."""


@dataclass(frozen=True)
class Choice:
    """A profile and why it was taken, in words."""

    profile: Profile
    reason: str


def choose(asked: str, device: str, there: Memory, needed: Callable[[Profile], Needs]) -> Choice:
    """The profile asked for, or with `auto` the first that fits; the least one when none does.

    needed: what the film needs under a profile.
    """
    if device == "cpu":
        profile = FAST if asked == "auto" else profile_of(asked)
        all_of_it = f"about {_gb(needed(profile).device)} of {_gb(there.ram_free)} free"
        return Choice(profile, f"on the CPU all is in main memory, {all_of_it}")
    if asked != "auto":
        return Choice(profile_of(asked), f"as set; {_figures(needed(profile_of(asked)), there)}")
    for profile in PROFILES:
        need = needed(profile)
        if fits(need, there):
            return Choice(profile, _figures(need, there))
    return Choice(MINIMAL, f"nothing fits; {_figures(needed(MINIMAL), there)}")


def fits(need: Needs, there: Memory) -> bool:
    """Whether there is room, with the margin."""
    more = 1 + MARGIN_SHARE
    return need.device * more + MARGIN_BYTES <= there.device_free and need.ram * more <= there.ram_free


def _figures(need: Needs, there: Memory) -> str:
    return (
        f"about {_gb(need.device)} of {_gb(there.device_free)} free on the GPU, "
        f"{_gb(need.ram)} of {_gb(there.ram_free)} free in main memory"
    )


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
