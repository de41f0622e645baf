"""Tells before anything is loaded what memory a film will take under each profile, and which would be taken now.

From headers, and from what the driver says without torch, so that a plan needs a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wan_engine.families import Lineup, ModelCard
from wan_engine.models.memory.cards import nvidia_cards, seen_by_cuda
from wan_engine.models.memory.choose import choose
from wan_engine.models.memory.measure import Memory, main_memory
from wan_engine.models.memory.needs import Clip, Needs, Weights, needs, weights_of
from wan_engine.models.memory.profiles import PROFILES, Profile
from wan_engine.models.model_set import open_model
from wan_engine.plan.model import Plan
from wan_engine.settings import Settings

CPU = "cpu"


@dataclass(frozen=True)
class Outlook:
    """What is to be expected.

    device: what will compute, in words; "" when only torch could say.  profile: that would be taken; "" likewise.
    reason: in words.  needs: by the profile's name.
    """

    device: str
    profile: str
    reason: str
    needs: Mapping[str, Needs]

    def words(self) -> str:
        """One sentence: the profile and why; without one, what each of them takes."""
        if self.profile:
            on = f" on {self.device}" if self.device != CPU else ""
            return f"profile {self.profile}{on}: {self.reason}"
        each = ", ".join(f"{name} {need.device / 1e9:.1f} GB" for name, need in self.needs.items())
        return f"of the GPU's, by profile: {each}; which one is taken is decided before loading"

    def as_dict(self) -> dict[str, Any]:
        """JSON-able values; memory in bytes."""
        each = {name: {"device_bytes": need.device, "ram_bytes": need.ram} for name, need in self.needs.items()}
        return {
            "device": self.device,
            "profile": self.profile,
            "reason": self.reason,
            "words": self.words(),
            "profiles": each,
        }


def look_ahead(settings: Settings, plan: Plan, models: Lineup) -> Outlook:
    """What a plan will take with these settings on this machine as it is now. Raises ModelError for a damaged model."""
    cards = tuple(dict.fromkeys(models.card(clip.mode) for clip in plan.calls if models.can(clip.mode)))
    device, there = _device(settings.device)
    on_cpu = device == CPU
    dtype = settings.dtype if settings.dtype != "auto" else "float32" if on_cpu else "bfloat16"
    needed = film_needs(_weights(cards, dtype, on_cpu, settings.fp8_weights), asked_clips(plan))
    every = {profile.name: needed(profile) for profile in PROFILES}
    if there is None:
        return Outlook("", "", "", every)
    choice = choose(settings.memory_profile, device, there, needed)
    return Outlook(device, choice.profile.name, choice.reason, every)


def asked_clips(plan: Plan) -> list[Clip]:
    """What is asked of the models for a plan, each size once."""
    return list(dict.fromkeys(Clip(plan.width, plan.height, clip.frames, clip.mode) for clip in plan.calls))


def film_needs(weights: Weights, clips: Sequence[Clip]) -> Callable[[Profile], Needs]:
    """What a film takes at its worst moment, as a function of the profile."""

    def needed(profile: Profile) -> Needs:
        every = [needs(profile, weights, clip) for clip in clips]
        return Needs(max(each.device for each in every), max(each.ram for each in every))

    return needed


@lru_cache(maxsize=8)
def _weights(cards: tuple[ModelCard, ...], dtype: str, on_cpu: bool, fp8: bool) -> Weights:
    return weights_of([open_model(card) for card in cards], dtype, on_cpu, fp8)


def _device(asked: str) -> tuple[str, Memory | None]:
    """The device in words, `cpu` for that, and its memory; None when only torch could tell."""
    ram = main_memory()
    if asked == CPU or (asked == "auto" and _torch_has_no_gpu()):
        return CPU, Memory(*ram, *ram)
    kind, _, number = asked.partition(":")
    cards = seen_by_cuda(nvidia_cards()) if kind in ("auto", "cuda") else ()
    place = int(number) if number.isdecimal() else 0
    if place >= len(cards):
        return "", None
    card = cards[place]
    return card.name, Memory(card.free, card.total, *ram)


def _torch_has_no_gpu() -> bool:
    """Whether the torch that is installed was built for the CPU alone, as its version says."""
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
