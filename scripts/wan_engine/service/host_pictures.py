"""The running WebUI as a maker of keyframe pictures: where it is and what it lacks, as it says itself.

It tells its address and whether its API asks for a password, never the password: that is written into `services.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wan_engine.service.hosts_board import HostsBoard
from wan_engine.storyboard.services import SERVICES_FILE, Service, load_services, with_webui


def services_here(home: Path, hosts: HostsBoard) -> dict[str, Service]:
    """The configured services, and the running WebUI where no other one is named. Raises as `load_services`."""
    api = hosts.api()
    return with_webui(load_services(home), api.url if api else "")


def webui_lacks(configured: Mapping[str, Service], hosts: HostsBoard) -> dict[str, str]:
    """Why the running WebUI would make no pictures, by provider; nothing where another one is configured."""
    api, service = hosts.api(), configured["webui"]
    if api is None or service.url:
        return {}
    if not api.on:
        return {"webui": "This WebUI runs without its API: start it with --api"}
    if api.guarded and not service.user:
        place = f"under webui in {SERVICES_FILE} in the state folder"
        return {"webui": f"This WebUI's API asks for a password: write user and password of --api-auth {place}"}
    return {}
