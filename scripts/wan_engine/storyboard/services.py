"""The services that planning and pictures may use: addresses, keys and models, from this machine's configuration only.

They stand in `services.yaml` in the state folder, or in environment variables such as `WAN_PLANNER_KEY`. A section is
taken whole from one of the two, so that no key ever goes to an address that it was not written for; no request names
one. Keys are left out of everything that is written, also of `repr`.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.home import state_home
from wan_engine.schedule.text_file import read_text
from wan_engine.schedule.yaml_documents import read_yaml
from wan_engine.settings_check import nearest_name

log = logging.getLogger(__name__)

SERVICES_FILE = "services.yaml"
"""File in the state folder; for the owner alone, as keys stand in it."""

MODES = ("tools", "json_schema", "json", "md_json")
"""How a planner's model is made to answer in the storyboard's form: instructor's modes of these names."""


@dataclass(frozen=True)
class Service:
    """One service. What it does not use is empty.

    mode: of `MODES`.  temperature: None leaves it out, as reasoning models want it.  folder: of a local model.
    timeout: longest wait for the next word, in seconds.  price_in, price_out: dollars for a million tokens, None if not
    known.  price: dollars a picture, None if not known.
    """

    url: str = ""
    key: str = field(default="", repr=False)
    model: str = ""
    mode: str = "tools"
    temperature: float | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = ""
    timeout: float = 120.0
    price_in: float | None = None
    price_out: float | None = None
    price: float | None = None


_USES: dict[str, tuple[Service, tuple[str, ...]]] = {
    "planner": (
        Service("https://api.openai.com/v1", mode="tools"),
        ("url", "key", "model", "mode", "temperature", "timeout", "price_in", "price_out"),
    ),
    "openai": (
        Service("https://api.openai.com/v1", model="gpt-image-1", timeout=300.0),
        ("url", "key", "model", "timeout", "price"),
    ),
    "stability": (
        Service("https://api.stability.ai", model="sd3.5-large", timeout=300.0),
        ("url", "key", "model", "timeout", "price"),
    ),
    "webui": (Service(timeout=600.0), ("url", "user", "password", "timeout")),
    "sd3": (Service(), ("folder",)),
}
"""The sections, with what each has where nobody says otherwise and the names it knows."""

SECTIONS = tuple(_USES)
_NUMBERS = ("temperature", "timeout", "price_in", "price_out", "price")
_PREFIX = "WAN_"
_SENDABLE = re.compile(r"[!-~]*")
"""Visible ASCII: what a request can carry as its address and its key."""


def load_services(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> dict[str, Service]:
    """Every section, configured or as usual. home: the state folder, else where it usually is.

    Raises InputError with everything that is wrong, and never shows a key.
    """
    path = (home or state_home(environ)) / SERVICES_FILE
    written = _file(path)
    problems = ProblemList()
    for name in written:
        if name not in _USES:
            problems.add(Problem("it is no service", nearest_name(name[:80], SECTIONS), name[:80], file=str(path)))
    services = {}
    for name in SECTIONS:
        given = _of_environment(name, environ)
        place = "the environment" if given else str(path)
        services[name] = _section(name, given or written.get(name), place, problems)
    problems.raise_if_any()
    return services


def _file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    if os.name != "nt" and path.stat().st_mode & 0o077:
        log.warning("Others on this machine can read %s: chmod 600 closes it", path)
    value = read_yaml(read_text(path)).value
    if not isinstance(value, dict | None):
        raise InputError(Problem("it holds no sections", f"Known names: {', '.join(SECTIONS)}", file=str(path)))
    return value or {}


def _of_environment(section: str, environ: Mapping[str, str]) -> dict[str, Any]:
    names = {name: f"{_PREFIX}{section.upper()}_{name.upper()}" for name in _USES[section][1]}
    return {name: environ[variable].strip() for name, variable in names.items() if environ.get(variable, "").strip()}


def _section(section: str, given: Any, place: str, problems: ProblemList) -> Service:
    usual, names = _USES[section]
    if given is None:
        return usual
    if not isinstance(given, dict):
        problems.add(Problem("it is no object of names and values", f"Names: {', '.join(names)}", section, file=place))
        return usual
    values: dict[str, Any] = {name: getattr(usual, name) for name in vars(usual)}
    for name, value in given.items():
        where = f"{section}.{name[:80]}"
        if name not in names:
            remedy = nearest_name(name[:80], names)
            problems.add(Problem("it is nothing that this service has", remedy, where, file=place))
        elif value is not None:
            values[name] = _value(name, value, where, place, problems)
    return Service(**values)


def _value(name: str, value: Any, where: str, place: str, problems: ProblemList) -> Any:
    text = str(value).strip()
    if name in _NUMBERS:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            problems.add(Problem("it is no number of 0 or more", "Write a number such as 0.5", where, file=place))
        return number
    if name == "url" and not _is_address(text):
        remedy = "Write one that begins with http:// or https://, in plain letters and without spaces"
        problems.add(Problem("it is no address", remedy, where, file=place))
    elif name == "url" and "@" in urlsplit(text).netloc:  # addresses are shown in messages
        remedy = "Write them as user and password of webui, as key of the others"
        problems.add(Problem("it holds a user or a password", remedy, where, file=place))
    if name == "key" and not _SENDABLE.fullmatch(text):
        remedy = "Copy the key again, on one line and without typographic quotes"
        problems.add(Problem("it holds a character that no key has", remedy, where, file=place))
    if name == "mode" and text not in MODES:
        problems.add(Problem("it is no mode", f"Write one of {', '.join(MODES)}", where, file=place))
    return text.rstrip("/") if name == "url" else text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return whole and _SENDABLE.fullmatch(text) is not None
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def with_webui(services: Mapping[str, Service], url: str) -> dict[str, Service]:
    """The services with the address of the WebUI that runs, where the configuration names none."""
    webui = services["webui"]
    return {**services, "webui": webui if webui.url else replace(webui, url=url)}


def how_to_set(section: str, name: str) -> str:
    """Where a missing value is written, for remedies."""
    variable = f"{_PREFIX}{section.upper()}_{name.upper()}"
    return f"Write {name} under {section} in {SERVICES_FILE} in the state folder, or set {variable}"
