"""Who can plan and make pictures on this machine: what is configured, what each lacks, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from wan_engine.errors import WanError
from wan_engine.settings_pictures import PAID_PROVIDERS, PICTURE_SETTINGS
from wan_engine.storyboard.keyframes.registry import make_provider
from wan_engine.storyboard.llm.client import check_service
from wan_engine.storyboard.services import Service
from wan_engine.words import counted


@dataclass(frozen=True)
class Offer:
    """Somebody who can plan (`what` planner) or make pictures. reason: why it is not ready."""

    name: str
    what: str
    model: str
    paid: bool
    ready: bool
    reason: str = ""


@dataclass(frozen=True)
class PicturesEstimate:
    """What pictures would cost. dollars: of all; None if the price is not configured."""

    count: int
    dollars: float | None
    words: str


def offers(services: Mapping[str, Service], lacks: Mapping[str, str]) -> Iterator[Offer]:
    """The planners, then the providers of pictures. No service is asked.

    lacks: what is known to be missing, by provider.
    """
    yield Offer("splitter", "planner", "", False, True)
    reason = _reason(lambda: check_service(services["planner"]))
    yield Offer("llm", "planner", services["planner"].model, True, not reason, reason)
    for name in PICTURE_SETTINGS["provider"].choices:
        provider = make_provider(name, services)
        reason = lacks.get(name) or _reason(provider.check)
        model = services[name].model if name in services else ""
        yield Offer(name, "pictures", model, name in PAID_PROVIDERS, not reason, reason)


def estimate_pictures(provider: str, count: int, services: Mapping[str, Service]) -> PicturesEstimate:
    """What so many pictures of a provider would cost."""
    price, words = make_provider(provider, services).price(), f"{counted(count, 'picture')} by {provider}"
    if price is None:
        return PicturesEstimate(count, None, f"{words}; cost unknown: no price is configured")
    cost = f"about {count * price:.2f} dollars" if price else "no cost"
    return PicturesEstimate(count, count * price, f"{words}; {cost}")


def _reason(check: Callable[[], None]) -> str:
    try:
        check()
    except WanError as error:
        return str(error)
    return ""
