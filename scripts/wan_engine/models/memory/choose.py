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
    """A profile and why it was taken, in words. warning: what may go wrong and what to do; "" for nothing."""

    profile: Profile
    reason: str
    warning: str = ""


def choose(asked: str, device: str, there: Memory, needed: Callable[[Profile], Needs]) -> Choice:
    """The profile asked for, or with `auto` the first that fits; the least one when none does.

    Where main memory is short, no profile helps: then the first is taken that fits into the device.
    needed: what the film needs under a profile.
    """
    if device == "cpu":
        profile = FAST if asked == "auto" else profile_of(asked)
        all_of_it = f"about {_gb(needed(profile).device)} of {_gb(there.ram_free)} free"
        return Choice(profile, f"on the CPU all is in main memory, {all_of_it}")
    if asked != "auto":
        need = needed(profile_of(asked))
        return Choice(profile_of(asked), f"as set; {_figures(need, there)}", _warning(need, there))
    whole = next((profile for profile in PROFILES if fits(needed(profile), there)), None)
    on_device = (profile for profile in PROFILES if _fits_device(needed(profile), there))
    profile = whole or next(on_device, MINIMAL)
    need = needed(profile)
    words = "" if whole else "main memory is short; " if _fits_device(need, there) else "nothing fits; "
    return Choice(profile, words + _figures(need, there), _warning(need, there))


def fits(need: Needs, there: Memory) -> bool:
    """Whether there is room, with the margin."""
    return _fits_device(need, there) and need.ram * (1 + MARGIN_SHARE) <= there.ram_free


def _fits_device(need: Needs, there: Memory) -> bool:
    return need.device * (1 + MARGIN_SHARE) + MARGIN_BYTES <= there.device_free


def _warning(need: Needs, there: Memory) -> str:
    """What is to be said where main memory will probably not do; "" where it will."""
    if need.ram <= there.ram_free:
        return ""
    return (
        f"Main memory may not do: the film takes about {_gb(need.ram)}, and {_gb(there.ram_free)} are free, so the "
        "system may slow down or end the engine; take a GGUF file of the model, or close other programs"
    )


def _figures(need: Needs, there: Memory) -> str:
    return (
        f"about {_gb(need.device)} of {_gb(there.device_free)} free on the GPU, "
        f"{_gb(need.ram)} of {_gb(there.ram_free)} free in main memory"
    )


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
