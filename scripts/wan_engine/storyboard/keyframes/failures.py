"""What goes wrong with services that make pictures, in words: one table of statuses for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from wan_engine.storyboard.keyframes import ProviderError
from wan_engine.storyboard.services import Service, how_to_set

_LONGEST_REASON = 300
_REFUSED = ("moderation", "content_policy", "content policy", "safety", "filtered")


def status_error(section: str, service: Service, status: int, reason: str, headers: Mapping[str, str]) -> ProviderError:
    """The error of an answer that is no picture. section: of `services`.  reason: the service's own words."""
    reason = scrubbed(reason, service)
    if any(word in reason.lower() for word in _REFUSED):
        return ProviderError(f"{section} refuses these words: {reason}", "Describe the keyframe in other words")
    if status in (401, 403):
        what = "user and password" if section == "webui" else "the key"
        name = "user" if section == "webui" else "key"
        return ProviderError(f"{section} refuses {what}", how_to_set(section, name), for_all=True)
    if status == 402 or "credits" in reason.lower() or "quota" in reason.lower():
        return ProviderError(f"{section} has no credit left: {reason}", "Fill the account up", for_all=True)
    if status == 429 or status >= 500:
        words = "is busy" if status == 429 else f"failed with status {status}"
        return ProviderError(f"{section} {words}: {reason}", "Try again later", True, retry_after(headers))
    return ProviderError(f"{section} answered with status {status}: {reason}", "Change what it is asked for")


def unreachable(section: str, service: Service) -> ProviderError:
    """The error when nobody answers, or the answer breaks off."""
    return ProviderError(
        f"{section} at {service.url} cannot be reached, or broke off", "Check that it runs", again=True
    )


def timed_out(section: str, service: Service) -> ProviderError:
    """The error when nothing comes for too long."""
    words = f"{section} said nothing for {service.timeout:g} s"
    return ProviderError(words, f"Try again later, or set a longer timeout for {section}", again=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of the header Retry-After; None without them, or where it is a date."""
    value = headers.get("retry-after", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None


def scrubbed(text: str, service: Service) -> str:
    """A service's own words, short and without its key."""
    flat = " ".join(text.split())
    for secret in filter(None, (service.key, service.password)):
        flat = flat.replace(secret, "(key)")
    return flat if len(flat) <= _LONGEST_REASON else flat[: _LONGEST_REASON - 1] + "…"
